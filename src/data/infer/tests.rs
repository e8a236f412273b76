//! What `infer` makes of small files.

use super::{Known, infer};

fn block(name: &str, content: &str) -> String {
    blocks(&[(name, content)], &[]).remove(0)
}

/// The blocks of files, without where these lie.
fn blocks(files: &[(&str, &str)], declared: &[Known]) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let paths = files.iter().map(|(name, content)| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).expect("a file");
        path
    });
    let paths: Vec<_> = paths.collect();
    let blocks = infer(&paths, None, declared).expect("blocks");
    blocks.iter().map(|block| without_source(block)).collect()
}

fn without_source(block: &str) -> String {
    block.lines().filter(|line| !line.starts_with("source")).collect::<Vec<_>>().join("\n")
}

#[test]
fn customers_are_known_by_their_addresses() {
    let content = "Kunden-Nr;E-Mail;Mobile;Vorname;Geburtstag;Guthaben;Newsletter\n\
                   00017;ann@example.com;020 7183 8750;Ann;03.11.1980;12,50;yes\n\
                   00018;bob@example.com;;Bob;24.12.1999;-1,5;no\n";
    let found = block("export.csv", content);
    let expected = r#"[customer]
key = "kunden_nr"
decimal = ","
roles = { email = "e_mail", phone = "mobile", name = "vorname" }
[customer.fields]
kunden_nr = { type = "text", column = "Kunden-Nr" }
e_mail = { type = "text", column = "E-Mail" }
mobile = { type = "text", column = "Mobile" }
vorname = { type = "text", column = "Vorname" }
geburtstag = { type = "date", column = "Geburtstag", format = "%d.%m.%Y" }
guthaben = { type = "decimal", column = "Guthaben" }
newsletter = { type = "boolean", column = "Newsletter" }"#;
    assert!(found.contains(expected), "{found}");
}

#[test]
fn what_belongs_to_customers_is_linked() {
    let content = "id,customer_id,store_id,placed_at,total,weight,day\n\
                   1,7,3,2026-11-03 09:00,2.50,0.123456,04/03/2026\n\
                   2,8,3,2026-11-03T10:00:00Z,12,1,05/03/2026\n";
    let found = block("orders.csv", content);
    for line in [
        "[order]",
        "key = \"id\"",
        "belongs_to = { customer = \"customer_id\" }",
        "# add `store = \"store_id\"` to belongs_to once [store] is declared",
        "id = \"text\"",
        "customer_id = \"text\"",
        "placed_at = \"timestamp\"",
        "total = \"money\"",
        "weight = { type = \"decimal\", scale = 6 }",
    ] {
        assert!(found.lines().any(|found| found == line), "{line} in\n{found}");
    }
    assert!(found.contains("day = { type = \"date\", format = \"%d/%m/%Y\" }   # or %m/%d/%Y"), "{found}");
}

#[test]
fn columns_of_one_name_are_told_apart_and_odd_headings_are_named() {
    let found = block("things.csv", "a b,A-B,1st,größe\nx,y,z,w\n");
    for name in ["a_b = ", "a_b_2 = ", "f_1st = ", "groesse = "] {
        assert!(found.lines().any(|line| line.starts_with(name)), "{name} in\n{found}");
    }
}

#[test]
fn rows_in_another_encoding_are_told_of_with_the_cure() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("kunden.csv");
    std::fs::write(&path, b"id,name\n1,K\xF6hler\n2,Meier\n3,M\xFCller\n").expect("a file");
    let found = infer(&[path], None, &[]).expect("a block").remove(0);
    let said: Vec<&str> = found.lines().take(3).collect();
    assert!(said[0].starts_with("# From 3 rows of "), "{found}");
    assert_eq!(
        said[1..],
        [
            "# 2 of them have text that is not UTF-8 (Latin-1 or Windows-1252?), and would be refused:",
            "# save the file as UTF-8 (in a spreadsheet: `CSV UTF-8`) first.",
        ]
    );
    assert!(!block("kunden.csv", "id,name\n1,Köhler\n").contains("UTF-8"));
}

#[test]
fn a_file_of_objects_is_read_too() {
    let found =
        block("events.ndjson", "{\"id\": \"e1\", \"name\": \"Cart Updated\", \"at\": \"2026-11-03T09:00:00Z\"}\n");
    assert!(found.contains("at = \"timestamp\""), "{found}");
}

/// The line of a column in the block of a file with that column alone, beside a key.
fn column(name: &str, cells: &[&str]) -> String {
    let rows: Vec<String> = cells.iter().enumerate().map(|(n, cell)| format!("{n};{cell}")).collect();
    let found = block("things.csv", &format!("id;{name}\n{}\n", rows.join("\n")));
    found.lines().find(|line| line.starts_with(&format!("{name} = "))).unwrap_or_else(|| panic!("{found}")).to_owned()
}

#[test]
fn numbers_in_one_word_are_keys_and_house_numbers_are_not() {
    let found = block("kunden.csv", "Hausnummer,Kundennummer,E-Mail\n1,1001,ann@example.com\n2,1002,bob@example.com\n");
    assert!(found.contains("key = \"kundennummer\"") && !found.contains("better give"), "{found}");
    let found = block("bestellungen.csv", "Bestellnr,Betrag\n1,4.20\n2,5.10\n");
    assert!(found.contains("key = \"bestellnr\"") && !found.contains("better give"), "{found}");
}

#[test]
fn a_column_that_names_another_entity_links_to_it() {
    let customers = ("guests.csv", "Guest no,E-Mail\n17,ann@example.com\n18,bob@example.com\n");
    let orders = ("orders.csv", "Order no,Guest no,Shop,Total\n1,17,a,4.20\n2,17,b,5\n");
    let shops = ("shops.csv", "Id,City\na,Bath\nb,Leeds\n");
    let found = blocks(&[customers, orders, shops], &[]);
    assert!(found[0].contains("[customer]") && found[0].contains("key = \"guest_no\""), "{}", found[0]);
    for line in [
        "key = \"order_no\"",
        "belongs_to = { customer = \"guest_no\", shop = \"shop_id\" }",
        "shop_id = { type = \"text\", column = \"Shop\" }",
    ] {
        assert!(found[1].lines().any(|found| found == line), "{line} in\n{}", found[1]);
    }
    // What is declared already counts as well, and customers always are.
    let declared = [Known { entity: "shop".to_owned(), key: "code".to_owned() }];
    for (heading, link) in [("shop_code", "shop"), ("Customer", "customer"), ("customer_number", "customer")] {
        let visits = format!("id,{heading},on\n1,7,2026-01-01\n2,7,2026-01-02\n");
        let found = blocks(&[("visits.csv", &visits)], &declared).remove(0);
        assert!(found.contains(&format!("belongs_to = {{ {link} = ")), "{heading}: {found}");
    }
    let lone = blocks(&[("visits.csv", "id,who\n1,7\n2,7\n")], &declared).remove(0);
    assert!(lone.contains("# belongs_to = { customer = \"…\" }"), "{lone}");
}

#[test]
fn what_keeps_a_column_from_its_type_is_said() {
    for (name, cells, said) in [
        (
            "price",
            &["£4.20", "£3"][..],
            "price = \"text\"   # `£4.20` is no plain number: written as 4.20 in the file, in every row, this can be money",
        ),
        (
            "weight",
            &["1,200.5", "3.5", "1,5"],
            "weight = \"text\"   # `1,5` is no plain number: written as 1.5 in the file, in every row, this can be decimal",
        ),
        (
            "weight",
            &["1,200", "950"],
            "weight = \"text\"   # where `1,200` is 1200, write `thousands = \",\"` above; where `1,200` is 1.200, write `decimal = \",\"` above",
        ),
        (
            "weight",
            &["1.200", "950"],
            "weight = \"decimal\"   # where `1.200` is 1200, write `decimal = \",\"` and `thousands = \".\"` above",
        ),
        (
            "on",
            &["2026-01-03", "soon", "2026-01-05", "2026-02-05"],
            "on = \"text\"   # most are dates like `2026-01-03`, but not `soon`: mended in the file, or left empty, it is typed",
        ),
        (
            "visits",
            &["1", "n/a", "3"],
            "visits = \"text\"   # most are whole numbers like `1`, but not `n/a`: mended in the file, or left empty, it is typed",
        ),
        ("news", &["Ja", "nein", "ja"], "news = { type = \"boolean\", yes = \"ja\", no = \"nein\" }"),
        ("news", &["x", "", "X"], "news = { type = \"boolean\", yes = \"x\" }"),
        (
            "born",
            &["03.11.80", "24.12.99"],
            "born = { type = \"date\", format = \"%d.%m.%y\" }   # a year of two digits: 69 is 1969, 68 is 2068",
        ),
        ("born", &["3 Nov 1980", "24 December 1999"], "born = { type = \"date\", format = \"%d %B %Y\" }"),
        ("note", &["likes 4.20", "none", "12"], "note = \"text\""),
    ] {
        assert_eq!(column(name, cells), said);
    }
}

#[test]
fn a_file_has_one_decimal_sign() {
    let found = block("things.csv", "id;price;weight\n1;4,20;1.5\n2;3,10;2.5\n");
    let expected = "price = \"money\"\nweight = \"text\"   # `1.5` and other numbers of the file differ in their decimal sign, \
                    and a file has one: mend it there";
    assert!(found.contains("decimal = \",\"") && found.contains(expected), "{found}");
}

#[test]
fn thousands_are_read_where_the_file_says_what_stands_between_them() {
    for (content, lines) in [
        (
            "id;price;points\n1;89,50;1.240\n2;1.240,00;3\n",
            &["decimal = \",\"", "thousands = \".\"", "price = \"money\"", "points = \"integer\""][..],
        ),
        ("id;weight\n1;1'240.5\n2;3\n", &["thousands = \"'\"", "weight = \"decimal\""]),
        ("id;points\n1;1 240\n2;3\n", &["thousands = \" \"", "points = \"integer\""]),
        (
            "id;a;b\n1;1,240.5;3\n2;1;1 240\n",
            &[
                "a = \"decimal\"",
                "b = \"text\"   # a file has one sign between thousands, and here is ` `: mend it there",
            ],
        ),
    ] {
        let found = block("things.csv", content);
        for line in lines {
            assert!(found.lines().any(|found| found == *line), "{line} in\n{found}");
        }
    }
}

#[test]
fn a_key_that_may_not_last_is_told_of() {
    let named = block("customers.csv", "Name,Mail\nAnn,\nBob,bob@example.com\n");
    assert!(
        named.contains("# No column is called a number or an id. Two rows with the same `name` are one row:"),
        "{named}"
    );
    let addressed = block("customers.csv", "Name,Mail\nAnn,ann@example.com\nBob,bob@example.com\n");
    assert!(addressed.contains("key = \"mail\"\n# No column is called a number or an id: whoever"), "{addressed}");
    let holes = block("orders.csv", "order_no,total\n1,4\n,5\n3,6\n");
    assert!(
        holes.contains("key = \"order_no\"\n# This key is missing in places: rows without it are refused."),
        "{holes}"
    );
    let twice = block("orders.csv", "id,total\n1,4\n1,4\n");
    assert!(twice.contains("# This key comes more than once: of rows with one key the last one counts."), "{twice}");
}

#[test]
fn what_every_row_has_may_be_required() {
    let found = block("customers.csv", "id,name,visits,news\n1,,3,yes\n2,Bob,4,no\n");
    let expected = "# Every row has `visits`. If that stays so, say it: a row without is refused\n\
                    # then, and conditions and templates need no `has()` and no `default` for it. Such as\n\
                    # visits = { type = \"integer\", required = true }";
    assert!(found.ends_with(expected), "{found}");
    let none = block("customers.csv", "id,name\n1,\n2,Bob\n");
    assert!(!none.contains("required"), "{none}");
}

#[test]
fn the_column_that_looks_like_a_yes_is_proposed_for_it() {
    let proposed = |file: &str, content: &str| {
        let found = block(file, content);
        let lines: Vec<String> = found.lines().map(str::to_owned).collect();
        let at = lines.iter().position(|line| line == "# [customer.consent]")?;
        Some(lines[at + 1].clone())
    };
    let both = "id,e-mail,phone,active,Newsletter\n1,ann@example.com,+447700900123,yes,no\n";
    let line = "# offers = { email = \"newsletter\", source = \"how they said yes\" }";
    assert_eq!(proposed("customers.csv", both).as_deref(), Some(line));
    let phone = "id,phone,active\n1,+447700900123,yes\n";
    assert!(proposed("customers.csv", phone).expect("a line").starts_with("# offers = { sms = \"active\","));
    assert_eq!(proposed("customers.csv", "id,e-mail\n1,ann@example.com\n"), None);
    assert_eq!(proposed("orders.csv", "id,customer_id,paid\n1,2,yes\n"), None);
}
