//! Texts of our own and Article 1 of the Universal Declaration of Human Rights, with their tokens in `o200k_base`, as
//! `tiktoken-rs` 0.12 counts them.

/// What the weights were fitted to.
pub(super) const FITTED: &[(&str, &str, u64)] = &[
    (
        "english",
        "The ferry to the island leaves at half past nine, but only when the wind is weak. Yesterday we waited for two hours in the small café by the harbour and talked with a fisherman who had spent forty years at sea. He told us that the weather changes quickly here, and that nobody should trust a blue sky in October. We bought some bread, two tickets and an old map, and decided to try again in the morning.",
        87,
    ),
    (
        "german",
        "Die Fähre zur Insel fährt um halb zehn ab, allerdings nur bei schwachem Wind. Gestern haben wir zwei Stunden in dem kleinen Café am Hafen gewartet und uns mit einem Fischer unterhalten, der vierzig Jahre auf See verbracht hatte. Er erzählte uns, dass sich das Wetter hier schnell ändert und dass man einem blauen Himmel im Oktober nicht vertrauen sollte. Wir kauften Brot, zwei Fahrkarten und eine alte Landkarte.",
        93,
    ),
    (
        "spanish",
        "El transbordador a la isla sale a las nueve y media, pero solo cuando el viento es flojo. Ayer esperamos dos horas en el pequeño café del puerto y hablamos con un pescador que había pasado cuarenta años en el mar. Nos contó que aquí el tiempo cambia deprisa y que nadie debería fiarse de un cielo azul en octubre. Compramos pan, dos billetes y un mapa viejo.",
        84,
    ),
    (
        "turkish",
        "Adaya giden vapur dokuz buçukta kalkıyor, ama yalnızca rüzgâr hafifken. Dün limandaki küçük kahvede iki saat bekledik ve kırk yılını denizde geçirmiş bir balıkçıyla konuştuk. Bize burada havanın çabuk değiştiğini ve ekimde mavi bir gökyüzüne kimsenin güvenmemesi gerektiğini söyledi. Ekmek, iki bilet ve eski bir harita aldık.",
        103,
    ),
    (
        "russian",
        "Паром на остров отходит в половине десятого, но только при слабом ветре. Вчера мы два часа ждали в маленьком кафе у гавани и разговаривали с рыбаком, который провёл в море сорок лет. Он рассказал нам, что погода здесь быстро меняется и что в октябре нельзя доверять голубому небу. Мы купили хлеб, два билета и старую карту.",
        88,
    ),
    (
        "greek",
        "Το πλοίο για το νησί φεύγει στις εννέα και μισή, αλλά μόνο όταν ο άνεμος είναι αδύναμος. Χθες περιμέναμε δύο ώρες στο μικρό καφενείο του λιμανιού και μιλήσαμε με έναν ψαρά που είχε περάσει σαράντα χρόνια στη θάλασσα. Μας είπε ότι ο καιρός εδώ αλλάζει γρήγορα.",
        95,
    ),
    (
        "arabic",
        "تغادر العبّارة إلى الجزيرة في التاسعة والنصف، ولكن فقط عندما تكون الريح ضعيفة. انتظرنا أمس ساعتين في المقهى الصغير قرب الميناء وتحدثنا مع صياد قضى أربعين عاما في البحر. قال لنا إن الطقس يتغير هنا بسرعة وإنه لا ينبغي لأحد أن يثق بسماء زرقاء في أكتوبر.",
        79,
    ),
    (
        "hindi",
        "द्वीप के लिए नाव साढ़े नौ बजे निकलती है, लेकिन केवल तब जब हवा कमज़ोर हो। कल हमने बंदरगाह के पास छोटे कैफ़े में दो घंटे इंतज़ार किया और एक मछुआरे से बात की जिसने चालीस साल समुद्र में बिताए थे। उसने हमें बताया कि यहाँ मौसम जल्दी बदलता है।",
        76,
    ),
    (
        "thai",
        "เรือข้ามฟากไปเกาะออกเวลาเก้าโมงครึ่ง แต่เฉพาะเมื่อลมอ่อนเท่านั้น เมื่อวานเรารออยู่สองชั่วโมงในร้านกาแฟเล็ก ๆ ข้างท่าเรือและคุยกับชาวประมงที่อยู่ในทะเลมาสี่สิบปี เขาบอกเราว่าอากาศที่นี่เปลี่ยนเร็ว",
        86,
    ),
    (
        "chinese",
        "去岛上的渡轮九点半出发，但只有在风小的时候才开。昨天我们在港口边的小咖啡馆里等了两个小时，和一位在海上度过了四十年的渔夫聊天。他告诉我们，这里的天气变化很快，十月的时候谁也不该相信蓝色的天空。我们买了面包、两张票和一张旧地图，决定明天早上再试一次。",
        99,
    ),
    (
        "japanese",
        "島へのフェリーは九時半に出ますが、風が弱いときだけです。昨日、私たちは港のそばの小さな喫茶店で二時間待ち、海で四十年を過ごした漁師と話をしました。ここでは天気がすぐに変わるので、十月の青空を信じてはいけないと教えてくれました。パンと切符を二枚、それに古い地図を買いました。",
        111,
    ),
    (
        "korean",
        "섬으로 가는 배는 아홉 시 반에 떠나지만 바람이 약할 때만 운항합니다. 어제 우리는 항구 옆 작은 카페에서 두 시간을 기다리며 바다에서 사십 년을 보낸 어부와 이야기를 나누었습니다. 그는 이곳의 날씨가 빨리 변하니 시월의 파란 하늘을 믿지 말라고 했습니다.",
        88,
    ),
    (
        "json",
        r#"{"id":"call_81","name":"find_flights","arguments":{"from":"OSL","to":"BGO","date":"2026-03-14","passengers":2,"flexible":true,"max_price":189.50,"airlines":["SK","DY"]},"status":"ok","took_ms":412,"items":[{"number":"SK253","departs":"07:15","arrives":"08:10","price":1290,"seats_left":4},{"number":"DY604","departs":"09:40","arrives":"10:35","price":899,"seats_left":11}]}"#,
        132,
    ),
    (
        "rust",
        "/// Reads the head of a frame.\nfn head(bytes: &[u8]) -> Result<(u8, usize), FrameError> {\n    let [kind, high, low, ..] = bytes else {\n        return Err(FrameError::Short { got: bytes.len() });\n    };\n    let length = usize::from(u16::from_be_bytes([*high, *low]));\n    if length > MAX_FRAME {\n        return Err(FrameError::TooLong { length, max: MAX_FRAME });\n    }\n    Ok((*kind, length))\n}\n",
        112,
    ),
    (
        "python",
        r#"def group_by_day(events: list[Event], zone: ZoneInfo) -> dict[date, list[Event]]:
    """Events by the day on which they happened, in the order of the days."""
    days: dict[date, list[Event]] = defaultdict(list)
    for event in sorted(events, key=lambda event: event.at):
        days[event.at.astimezone(zone).date()].append(event)
    if not days:
        raise ValueError("there are no events to group")
    return dict(days)
"#,
        107,
    ),
    (
        "log",
        "2026-11-02T08:14:55.120Z INFO  worker-3 job=7f3a9c1e-52d0-4b8e-9d11-0c44be1f6a72 attempt=2 started\n2026-11-02T08:14:55.871Z WARN  worker-3 GET https://api.example.com/v2/items?page=14 -> 429 retry_after=2.5s\n2026-11-02T08:14:58.402Z ERROR worker-3 sha256=9b74c9897bac770ffc029102a200c5de failed: connection reset by peer (os error 104)\n",
        151,
    ),
    (
        "markdown",
        "## Results\n\n| run | model | tokens | cost |\n| --- | --- | ---: | ---: |\n| 1 | small | 12,480 | $0.004 |\n| 2 | large | 98,213 | $0.412 |\n\n* The **second** run took `41.2 s`, four times as long.\n* See [the notes](https://example.com/notes#runs) for what was left out.\n",
        94,
    ),
];

/// Other texts.
pub(super) const OTHERS: &[(&str, &str, u64)] = &[
    (
        "english",
        "All human beings are born free and equal in dignity and rights. They are endowed with reason and conscience and should act towards one another in a spirit of brotherhood.",
        33,
    ),
    (
        "german",
        "Alle Menschen sind frei und gleich an Würde und Rechten geboren. Sie sind mit Vernunft und Gewissen begabt und sollen einander im Geiste der Brüderlichkeit begegnen.",
        39,
    ),
    (
        "french",
        "Tous les êtres humains naissent libres et égaux en dignité et en droits. Ils sont doués de raison et de conscience et doivent agir les uns envers les autres dans un esprit de fraternité.",
        41,
    ),
    (
        "spanish",
        "Todos los seres humanos nacen libres e iguales en dignidad y derechos y, dotados como están de razón y conciencia, deben comportarse fraternalmente los unos con los otros.",
        38,
    ),
    (
        "portuguese",
        "Todos os seres humanos nascem livres e iguais em dignidade e em direitos. Dotados de razão e de consciência, devem agir uns para com os outros em espírito de fraternidade.",
        37,
    ),
    (
        "italian",
        "Tutti gli esseri umani nascono liberi ed eguali in dignità e diritti. Essi sono dotati di ragione e di coscienza e devono agire gli uni verso gli altri in spirito di fratellanza.",
        51,
    ),
    (
        "russian",
        "Все люди рождаются свободными и равными в своем достоинстве и правах. Они наделены разумом и совестью и должны поступать в отношении друг друга в духе братства.",
        41,
    ),
    (
        "ukrainian",
        "Всі люди народжуються вільними і рівними у своїй гідності та правах. Вони наділені розумом і совістю і повинні діяти у відношенні один до одного в дусі братерства.",
        55,
    ),
    (
        "arabic",
        "يولد جميع الناس أحرارا متساوين في الكرامة والحقوق. وقد وهبوا عقلا وضميرا وعليهم أن يعامل بعضهم بعضا بروح الإخاء.",
        42,
    ),
    (
        "hindi",
        "सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता और समानता प्राप्त है। उन्हें बुद्धि और अन्तरात्मा की देन प्राप्त है और परस्पर उन्हें भाईचारे के भाव से बर्ताव करना चाहिए।",
        54,
    ),
    ("chinese", "人人生而自由，在尊严和权利上一律平等。他们赋有理性和良心，并应以兄弟关系的精神相对待。", 35),
    (
        "japanese",
        "すべての人間は、生まれながらにして自由であり、かつ、尊厳と権利とについて平等である。人間は、理性と良心とを授けられており、互いに同胞の精神をもって行動しなければならない。",
        72,
    ),
    (
        "korean",
        "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다. 인간은 천부적으로 이성과 양심을 부여받았으며 서로 형제애의 정신으로 행동하여야 한다.",
        51,
    ),
    (
        "turkish",
        "Bütün insanlar hür, haysiyet ve haklar bakımından eşit doğarlar. Akıl ve vicdana sahiptirler ve birbirlerine karşı kardeşlik zihniyeti ile hareket etmelidirler.",
        46,
    ),
    (
        "vietnamese",
        "Tất cả mọi người sinh ra đều được tự do và bình đẳng về nhân phẩm và quyền lợi. Mọi con người đều được tạo hóa ban cho lý trí và lương tâm và cần phải đối xử với nhau trong tình bằng hữu.",
        50,
    ),
];
