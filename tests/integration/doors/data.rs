//! The door of customer data: CSV and NDJSON files as they come, and never a good row lost for a bad one.

use super::{expect, outbox, said, shop};
use crate::harness::home::{Home, Settings};

const HEAD: &str = "id,first_name,email,phone\n";
const GOOD: &str = "n1,Zoe,n1@customers.test,+447946099001\n";

/// Imports these bytes as `new.csv` and gives the exit code and what was said; the errors file where there is one.
fn import(home: &Home, name: &str, bytes: &[u8]) -> (Option<i32>, String, String) {
    std::fs::write(home.path().join(name), bytes).expect("the home is ours");
    let errors = home.path().join(format!("{name}.errors.csv"));
    let _ = std::fs::remove_file(&errors);
    let ran = home.plusone(&["import", "customer", name]);
    let text = said(&ran);
    assert!(!text.contains("panicked"), "{text}");
    (ran.code, text, std::fs::read_to_string(errors).unwrap_or_default())
}

#[test]
fn a_file_that_cannot_be_read_as_a_whole_is_told_and_changes_nothing() {
    let home = shop(2, &Settings::default());
    home.plusone(&["once", "--no-send"]).ended_with(0);
    let utf16: Vec<u8> = format!("\u{feff}{HEAD}{GOOD}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let cell = format!("{HEAD}n1,{},n1@customers.test,\n", "A".repeat(10_000_000));
    let cases: Vec<(&str, Vec<u8>, &[&str])> = vec![
        ("empty", Vec::new(), &["bad.csv", "is empty", "first row must name the columns"]),
        ("UTF-16", utf16, &["bad.csv", "UTF-16", "UTF-8"]),
        (
            "a heading twice",
            format!("id,id,email\n{GOOD}").into_bytes(),
            &["bad.csv", "two columns named `id`", "rename"],
        ),
        ("no key", b"first_name,email\nZoe,z@customers.test\n".to_vec(), &["bad.csv", "no column `id`"]),
        ("10 MB in a cell", cell.into_bytes(), &["bad.csv", "row 2", "quote"]),
        ("bytes", (0..=255u8).cycle().take(20_000).collect(), &["bad.csv"]),
    ];
    for (name, bytes, words) in cases {
        let (code, text, _) = import(&home, "bad.csv", &bytes);
        assert_eq!(code, Some(1), "{name}: {text}");
        for word in words {
            assert!(text.contains(word), "{name}: no `{word}` in {text}");
        }
    }
    expect(home.plusone(&["import", "customer", "not-there.csv"]), 1, &["not-there.csv", "No such file"]);
    expect(home.plusone(&["import", "customer", "config"]), 1, &["config", "directory"]);
    home.plusone(&["once"]).ended_with(0);
    assert_eq!(outbox(&home).len(), 2, "the two who were there get their message");
}

#[test]
fn bad_rows_are_named_and_good_rows_are_kept() {
    let cases: [(&str, Vec<u8>, &[&str]); 6] = [
        ("too few columns", b"x1,y\n".to_vec(), &["\"2\"", "has 2 columns where the heading has 4"]),
        ("too many columns", b"x1,y,z,a,b,c\n".to_vec(), &["\"2\"", "has 6 columns where the heading has 4"]),
        ("a NUL", b"x1,A\0B,x1@customers.test,\n".to_vec(), &["\"2\"", "first_name", "NUL"]),
        ("Latin-1", b"x1,Zo\xe9,x1@customers.test,\n".to_vec(), &["\"2\"", "first_name", "UTF-8", "Latin-1"]),
        ("no key", b",Zoe,x1@customers.test,\n".to_vec(), &["\"2\"", "id"]),
        ("a quote too many", b"x1,\"a\"b\"c\",x1@customers.test,\n".to_vec(), &[]),
    ];
    for (name, row, words) in cases {
        let home = shop(1, &Settings::default());
        let bytes = [HEAD.as_bytes(), &row, GOOD.as_bytes()].concat();
        let (code, text, errors) = import(&home, "some.csv", &bytes);
        assert_eq!(code, Some(i32::from(!words.is_empty())), "{name}: {text}");
        for word in words {
            assert!(errors.contains(word), "{name}: no `{word}` in {errors}");
        }
        assert!(text.contains("created"), "{name}: {text}");
        expect(home.plusone(&["customer", "n1"]), 0, &["Zoe"]);
    }
}

#[test]
fn an_open_quote_swallows_the_rest_and_says_so() {
    let home = shop(1, &Settings::default());
    let (code, text, errors) = import(&home, "open.csv", format!("{HEAD}\"x1,Ann\n{GOOD}").as_bytes());
    assert_eq!(code, Some(1), "{text}");
    assert!(errors.contains("has 1 column where the heading has 4"), "{errors}");
}

#[test]
fn bad_lines_of_ndjson_are_named_one_by_one() {
    let home = shop(1, &Settings::default());
    let deep = "[".repeat(10_000);
    let text = format!(
        "{{\"id\":\"n1\",\"first_name\":\"Zoe\"}}\nnot json\n{{\"id\":\n[1,2]\n\"x\"\n{deep}\n{{\"id\":\"n2\",\"first_name\":{{\"a\":1}}}}\n{{\"id\":\"n3\",\"first_name\":\"Eve\"}}\n"
    );
    let (code, said, errors) = import(&home, "some.ndjson", text.as_bytes());
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("2 created") && said.contains("6 refused"), "{said}");
    for line in ["\"2\"", "\"3\"", "\"4\"", "\"5\"", "\"6\"", "\"7\""] {
        assert!(errors.contains(line), "{line}: {errors}");
    }
    expect(home.plusone(&["customer", "n3"]), 0, &["Eve"]);
}

#[test]
fn what_a_spreadsheet_would_run_is_defused_in_the_errors_file() {
    let home = shop(1, &Settings::default());
    let mut text = "id,first_name,email,phone,extra\n".to_owned();
    let starts = ["=cmd|' /C calc'!A0", "+1+1", "-1+1", "@SUM(1)", "\t=1", "\u{ff1d}1"];
    for start in starts {
        text.push_str(&format!("\"{start}\",\"{start}\"\n"));
    }
    let (code, said, errors) = import(&home, "formula.csv", text.as_bytes());
    assert_eq!(code, Some(1), "{said}");
    for start in &starts[..5] {
        assert!(errors.contains(&format!("\"'{start}\"")), "{start} is a formula in {errors}");
    }
    assert!(errors.lines().all(|line| line.starts_with('"') && line.ends_with('"')), "{errors}");
}

#[test]
fn a_source_that_is_broken_for_a_while_loses_nobody() {
    let home = shop(3, &Settings::default());
    home.plusone(&["once", "--no-send"]).ended_with(0);
    let broken =
        ["", "id,first_name,email,phone\n", "id;id\n", "id,first_name,email,phone\nc1,Ann,c1@customers.test,\n"];
    for text in broken {
        home.write("customers.csv", text);
        expect(home.plusone(&["once", "--no-send"]), 0, &["customer", "not read"]);
    }
    std::fs::remove_file(home.path().join("customers.csv")).expect("it is there");
    let ran = home.plusone(&["once"]);
    expect(ran, 0, &["customers.csv"]);
    assert_eq!(outbox(&home).len(), 3, "the rows of before stay, and their messages go out");
}
