"""Makes the catalogue of models: `python catalogue.py WHEELS DATE TO`.

Two sources, both read as data and never imported, both under the MIT licence; facts are taken and no words:

- `litellm`: windows, abilities, prices, days of retirement; the row that counts where there is one (of the two it is the
  fresher one: where they differed in 2026, it had the newer price);
- `genai-prices`: prices and windows of models that the first has no row for, and more names of them.

What is made says only what a source says. An ability that a source does not mention is neither there nor denied: in both
sources a missing mark means as often "nobody looked" as "no" (Gemini 2.5 Flash without sound on Vertex, Pixtral without
images on Bedrock). A price of 0 counts as unknown, unless the model's name says that it is free.
"""

import ast
import json
import re
import sys
import zipfile
from decimal import Decimal
from pathlib import Path

# Our name of a provider: its names in litellm, and in genai-prices.
PROVIDERS = {
    "anthropic": (["anthropic"], ["anthropic"]),
    "bedrock": (["bedrock_converse", "bedrock"], ["aws"]),
    "cerebras": (["cerebras"], ["cerebras"]),
    "cohere": (["cohere_chat", "cohere"], ["cohere"]),
    "deepseek": (["deepseek"], ["deepseek"]),
    "fireworks": (["fireworks_ai", "fireworks_ai-embedding-models"], ["fireworks"]),
    "gemini": (["gemini"], ["google"]),
    "groq": (["groq"], ["groq"]),
    "mistral": (["mistral"], ["mistral"]),
    "moonshot": (["moonshot"], ["moonshotai"]),
    "openai": (["openai"], ["openai"]),
    "openrouter": ([], ["openrouter"]),
    "perplexity": (["perplexity"], ["perplexity"]),
    "together": (["together_ai"], ["together"]),
    "vertex": (["vertex_ai"], []),
    "voyage": (["voyage"], ["voyageai"]),
    "xai": (["xai"], ["x-ai"]),
}

# Whose rows may deny an ability. Others host what they do not make, and their rows are copied and rarely looked after.
DENY = {"anthropic", "bedrock", "gemini", "openai", "vertex", "xai"}

MODES = {"chat", "responses", "embedding"}

ABILITIES = {
    "tools": ["supports_function_calling"],
    "image_input": ["supports_vision", "supports_image_input"],
    "document_input": ["supports_pdf_input"],
    "audio_input": ["supports_audio_input"],
    "structured_output": ["supports_response_schema", "supports_native_structured_output"],
    "reasoning": ["supports_reasoning"],
    "prompt_cache": ["supports_prompt_caching"],
}

# The rates of a price: our name, litellm's, genai-prices'.
RATES = [
    ("input", "input_cost_per_token", "input_mtok"),
    ("output", "output_cost_per_token", "output_mtok"),
    ("cached_input", "cache_read_input_token_cost", "cache_read_mtok"),
    ("cache_write", "cache_creation_input_token_cost", "cache_write_mtok"),
    ("cache_write_1h", "cache_creation_input_token_cost_above_1hr", "cache_write_1h_mtok"),
    ("reasoning", "output_cost_per_reasoning_token", "output_reasoning_mtok"),
]


def price_of(base, tiers, embeds, free):
    """A price in our form; `None` unless its two main rates are known. `tiers` maps a limit to the rates above it."""
    if embeds:
        base.setdefault("output", 0)
    if base.get("input") is None or base.get("output") is None:
        return None
    if not free and base["input"] == 0:
        return None
    price = lean(base)
    above = []
    for limit in sorted(tiers):
        # What a tier does not tell is as in the tier below.
        base = {**base, **tiers[limit]}
        if base["input"]:
            above.append({"above": limit, **lean(base)})
    if above:
        price["tiers"] = above
    return price


def lean(rates):
    """Without the rates that are what they would fall back to."""
    falls_to = {"cached_input": "input", "cache_write": "input", "cache_write_1h": "cache_write", "reasoning": "output"}
    rates = {name: rates[name] for name, _, _ in RATES if rates.get(name) is not None}
    # A part that costs nothing beside one that does is unknown, too; but cache writes are free with some.
    for name in ("cached_input", "reasoning"):
        if rates.get(name) == 0 and rates[falls_to[name]] != 0:
            del rates[name]
    return {
        name: rate for name, rate in rates.items() if name not in falls_to or rate != rates.get(falls_to[name], rates["input"])
    }


# litellm


def read_litellm(wheel):
    with zipfile.ZipFile(wheel) as files:
        rows = json.loads(files.read("litellm/model_prices_and_context_window_backup.json"))
    found = {}
    aliases = []
    for key, row in rows.items():
        if "alias_of" in row:
            aliases.append((key, row["alias_of"]))
            continue
        name = ours(row.get("litellm_provider") or "")
        if name is None or row.get("mode") not in MODES:
            continue
        model = bare(key, row["litellm_provider"], name)
        if model and model not in found.setdefault(name, {}):
            found[name][model] = litellm_row(row, name in DENY, searches(name, model))
    for key, target in aliases:
        row = rows.get(target)
        name = ours((row or {}).get("litellm_provider") or "")
        if name is None:
            continue
        model, of = bare(key, row["litellm_provider"], name), bare(target, row["litellm_provider"], name)
        if model and of in found.get(name, {}):
            found[name].setdefault(model, found[name][of])
    return found


def ours(provider):
    for name, (theirs, _) in PROVIDERS.items():
        if provider in theirs or (name == "vertex" and provider.startswith("vertex_ai-")):
            return name
    return None


def bare(key, provider, name):
    """The model as the provider names it, or `None` for a row that is of no model: sizes, regions, commitments."""
    for prefix in (provider, provider.split("-")[0], provider.removesuffix("_chat"), name):
        key = key.removeprefix(prefix + "/")
    if name in ("anthropic", "bedrock", "gemini", "openai", "vertex") and "/" in key:
        return None
    if name == "together" and key.startswith("together-ai-"):
        return None
    return key


def searches(name, model):
    """Whether each request searches the web, which is paid for besides the tokens."""
    return "search-preview" in model or "deep-research" in model or (name == "perplexity" and "sonar" in model)


def litellm_row(row, denies, besides):
    embeds = row["mode"] == "embedding"
    out = {}
    window = whole(row.get("max_input_tokens"))
    if window:
        out["window"] = window
    if not embeds and whole(row.get("max_output_tokens")):
        out["max_output"] = row["max_output_tokens"]
    if not embeds:
        out.update(abilities(row, denies))
    # Spoken answers have rates of their own, and what is spoken is not told apart in the usage.
    if not besides and "output_cost_per_audio_token" not in row and "tiered_pricing" not in row:
        price = litellm_price(row, embeds)
        if price:
            out["price"] = price
    day = row.get("deprecation_date")
    if isinstance(day, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", day):
        out["retires"] = day
    return out


def whole(number):
    return number if isinstance(number, int) and number > 0 else None


def abilities(row, denies):
    modalities = row.get("supported_modalities") or []
    can, cannot = [], []
    for ability, marks in ABILITIES.items():
        said = [row[mark] for mark in marks if isinstance(row.get(mark), bool)]
        modality = ability.removesuffix("_input")
        if any(said) or modality in modalities:
            can.append(ability)
        elif ability == "prompt_cache" and row.get("cache_read_input_token_cost"):
            can.append(ability)
        elif denies and (said or ("text" in modalities and modality in ("image", "audio"))):
            cannot.append(ability)
    return {name: these for name, these in (("can", can), ("cannot", cannot)) if these}


def litellm_price(row, embeds):
    base = {name: per_token(row.get(key)) for name, key, _ in RATES}
    base = {name: rate for name, rate in base.items() if rate is not None}
    tiers = {}
    for name, key, _ in RATES:
        for field, value in row.items():
            above = re.fullmatch(re.escape(key) + r"_above_(\d+)k_tokens", field)
            if above and per_token(value) is not None:
                tiers.setdefault(int(above[1]) * 1000, {})[name] = per_token(value)
    return price_of(base, tiers, embeds, free=False)


def per_token(dollars):
    """Dollars a token as millionths of a dollar a million tokens."""
    return None if not isinstance(dollars, (int, float)) else round(dollars * 1e12)


# genai-prices


def read_genai(wheel, date):
    with zipfile.ZipFile(wheel) as files:
        tree = ast.parse(files.read("genai_prices/data.py"))
    providers = next(node.value for node in tree.body if isinstance(node, ast.AnnAssign))
    found = {}
    for provider in value(providers):
        name = next((name for name, (_, theirs) in PROVIDERS.items() if provider["id"] in theirs), None)
        if name is None:
            continue
        for model in provider["models"]:
            row = genai_row(model, date)
            for alias in [model["id"], *names(model["match"])]:
                if alias[-1].isalnum() and not alias.startswith("regional."):
                    found.setdefault(name, {}).setdefault(alias, row)
    return found


def value(node):
    """What an expression of constants and constructors is worth; a constructor becomes a dictionary with its name in `_`."""
    match node:
        case ast.Constant():
            return node.value
        case ast.List() | ast.Tuple():
            return [value(item) for item in node.elts]
        case ast.Dict():
            return {value(key): value(item) for key, item in zip(node.keys, node.values, strict=True)}
        case ast.Call(func=ast.Name(id="Decimal")):
            return Decimal(node.args[0].value)
        case ast.Call():
            kind = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            return {"_": kind, "args": [value(arg) for arg in node.args], **{k.arg: value(k.value) for k in node.keywords}}
        case ast.Attribute():
            return node.attr
        case ast.UnaryOp(op=ast.USub()):
            return -value(node.operand)
    raise ValueError(f"genai_prices/data.py has a form that is not known: {ast.dump(node)[:200]}")


def names(clause):
    """Whole names that a rule matches. A beginning counts as a name, since a date or `-latest` may follow any name."""
    match clause["_"]:
        case "ClauseEquals":
            return [clause["equals"]]
        case "ClauseStartsWith" if not clause["starts_with"].endswith("-"):
            return [clause["starts_with"]]
        case "ClauseOr":
            return [name for inner in clause["or_"] for name in names(inner)]
    return []


def genai_row(model, date):
    out = {}
    if whole(model.get("context_window")):
        out["window"] = model["context_window"]
    rates = model["prices"]
    if isinstance(rates, list):
        rates = current(rates, date)
    base, tiers = {}, {}
    for name, _, key in RATES:
        rate = rates.get(key) if rates else None
        if isinstance(rate, dict):
            base[name] = per_million(rate["base"])
            for tier in rate["tiers"]:
                tiers.setdefault(tier["start"], {})[name] = per_million(tier["price"])
        elif rate is not None:
            base[name] = per_million(rate)
    # What is paid by the request, by the hour or by the picture is more than tokens.
    besides = {"requests_kcount", "output_audio_mtok", "output_image_mtok", "output_video_mtok", "audio_hours"}
    if rates and not besides & rates.keys():
        price = price_of(base, tiers, "embed" in model["id"], free=model["id"].endswith(":free"))
        if price:
            out["price"] = price
    return out


def current(dated, date):
    """The prices of that day; prices of an hour of the day are left out, the price of the other hours counts."""
    best = None
    for entry in dated:
        when = entry.get("constraint")
        if when is None:
            best = best or ("", entry["prices"])
        elif when["_"] == "StartDateConstraint":
            year, month, day = when["start_date"]["args"]
            start = f"{year:04}-{month:02}-{day:02}"
            if start <= date and (best is None or start > best[0]):
                best = (start, entry["prices"])
    return best[1] if best else None


def per_million(dollars):
    """Dollars a million tokens as millionths of a dollar."""
    return round(dollars * 1_000_000)


# Both


def merge(primary, secondary):
    merged = {}
    for name in sorted(PROVIDERS):
        rows = dict(primary.get(name, {}))
        for model, row in secondary.get(name, {}).items():
            known = rows.get(model)
            if known is None:
                if row:
                    rows[model] = row
            elif (window := row.get("window")) and known.get("window") and known.get("max_output"):
                # litellm tells what the prompt may have; where that and the answer make up the window, it is the window.
                if window == known["window"] + known["max_output"]:
                    rows[model] = {**known, "window": window, "max_input": known["window"]}
        merged[name] = aliased(rows)
    return merged


def aliased(rows):
    """Rows that say the same become names of one: the shortest, and of these the first."""
    first = {}
    for model in sorted(rows, key=lambda model: (len(model), model)):
        first.setdefault(json.dumps(rows[model], sort_keys=True), model)
    out = {}
    for model in sorted(rows):
        of = first[json.dumps(rows[model], sort_keys=True)]
        out[model] = rows[model] if of == model else of
    return out


def version(wheel):
    return wheel.name.split("-")[1]


def main(wheels, date, to):
    litellm = next(Path(wheels).glob("litellm-*.whl"))
    genai = next(Path(wheels).glob("genai_prices-*.whl"))
    models = merge(read_litellm(litellm), read_genai(genai, date))
    about = {
        "date": date,
        "sources": [
            {"name": "litellm", "version": version(litellm), "licence": "MIT"},
            {"name": "genai-prices", "version": version(genai), "licence": "MIT"},
        ],
    }
    line = lambda data: json.dumps(data, separators=(",", ":"), ensure_ascii=False)
    out = ['{"about":' + line(about) + ',"models":{']
    for number, (name, rows) in enumerate(models.items()):
        out.append(("," if number else "") + line(name) + ":{")
        out.extend(
            ("," if index else "") + line(model) + ":" + line(row) for index, (model, row) in enumerate(rows.items())
        )
        out.append("}")
    out.append("}}")
    Path(to).write_text("\n".join(out) + "\n", encoding="utf-8")
    for name, rows in models.items():
        whole_rows = [row for row in rows.values() if not isinstance(row, str)]
        priced = sum("price" in row for row in whole_rows)
        print(f"{name}: {len(rows)} names, {len(whole_rows)} models, {priced} with a price")


main(*sys.argv[1:])
