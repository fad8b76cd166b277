//! What the planner keeps of a column are values of it, and they outlive the rows that they are from: of what somebody said, it keeps none.

/// The statements that keep columns of tables (names parted by spaces) out of the planner's statistics.
pub(super) fn without(tables: &[(&str, &str)]) -> String {
    let statement = |(table, columns): &(&str, &str)| {
        let each: Vec<_> = columns.split(' ').map(|name| format!("ALTER {name} SET STATISTICS 0")).collect();
        format!("ALTER TABLE {table} {};", each.join(", "))
    };
    tables.iter().map(statement).collect()
}
