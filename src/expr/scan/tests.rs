//! Conditions cut into tokens, and what is told of habits.

use super::*;

fn words(text: &str) -> Vec<&str> {
    scan(text).expect("a good text").into_iter().map(|token| &text[token.span]).collect()
}

fn faults(text: &str) -> Vec<String> {
    scan(text).expect_err("a bad text").iter().map(|fault| format!("{}: {fault}", fault.span.start)).collect()
}

#[test]
fn a_condition_is_cut_into_its_tokens() {
    assert_eq!(
        words(r#"customer.tier=="go\"ld" && cart.total>=20.5 // why"#),
        ["customer", ".", "tier", "==", r#""go\"ld""#, "&&", "cart", ".", "total", ">=", "20.5"]
    );
    assert_eq!(
        words(r#"x in ['a', r'\d', """q"q"""]"#),
        ["x", "in", "[", "'a'", ",", r"r'\d'", ",", r#""""q"q""""#, "]"]
    );
}

#[test]
fn habits_are_named_with_their_cure() {
    assert_eq!(faults("a = 1"), ["2: `=` is not an operator (write `==`)"]);
    assert_eq!(
        faults("a <> 1 AND b => 2"),
        [
            "2: `<>` is not an operator (write `!=`)",
            "7: `AND` is not an operator (write `&&`)",
            "13: `=>` is not an operator (write `>=`)"
        ]
    );
    assert_eq!(
        faults("a == \u{201c}gold\u{201d}"),
        ["5: `\u{201c}` is a quote of a word processor (write straight quotes: `\"gold\"`)"]
    );
    assert_eq!(faults("a &gt; 5 &amp;&amp; b").len(), 2);
    assert_eq!(
        faults("a < 2025-12-01"),
        ["4: `2025-12-01` is three numbers here (a date stands in quotes: `\"2025-12-01\"`)"]
    );
    assert_eq!(faults("{{a}} > 5"), ["0: braces are for templates (write `a` as it is)"]);
    assert_eq!(faults("a in (1, 2)"), ["5: `in` takes its values in square brackets (write `in [1, 2]`)"]);
    assert_eq!(faults("a === 1"), ["2: `===` is not an operator (write `==`)"]);
    assert_eq!(
        faults("a == 1_000"),
        ["5: `1_000` is not a number here (write digits with at most one point: `1200`, `2.50`)"]
    );
}

#[test]
fn numbers_dates_and_spans_of_habit_are_named_with_their_cure() {
    let date = "5: `24.12.1990` is not a number here (a date is written year first, in quotes: `\"2026-12-24\"`)";
    assert_eq!(faults("a == 24.12.1990"), [date]);
    assert_eq!(faults("a > 20,50"), ["4: `20,50` is not a number here (write `20.50`)"]);
    assert_eq!(faults("a > 1.240,50"), ["4: `1.240,50` is not a number here (write `1240.50`)"]);
    assert_eq!(faults("a > 1,240.50 && b"), ["4: `1,240.50` is not a number here (write `1240.50`)"]);
    assert_eq!(faults("a > 1,240"), ["4: `1,240` is not a number here (write `1240`, or `1.24`)"]);
    assert_eq!(faults("a > 1.240.500"), ["4: `1.240.500` is not a number here (write `1240500`)"]);
    assert_eq!(words("a in [20,50]").len(), 7, "in brackets a comma stands between two numbers");
    assert!(faults("a > £20")[0].starts_with("4: `£` is not understood (write the number alone"));
    assert!(faults("a > 60 days")[0].starts_with("7: `days` does not follow a number (write `ago"));
    assert_eq!(faults("a is null"), ["2: `is` is not an operator (write `== null` or `!= null`)"]);
}

#[test]
fn words_of_other_languages_are_operators_of_habit_only_behind_a_value() {
    for (text, told) in [
        ("a und b", "2: `und` is not an operator (write `&&`)"),
        ("a ODER b", "2: `ODER` is not an operator (write `||`)"),
        ("f(a) y b", "5: `y` is not an operator (write `&&`)"),
        ("a über 5", "2: `über` is not an operator (write `>`)"),
        ("a größer als 5", "2: `größer als` is not an operator (write `>`)"),
        ("a mehr als 5", "2: `mehr als` is not an operator (write `>`)"),
        ("a less than 5", "2: `less than` is not an operator (write `<`)"),
        ("a ist 5", "2: `ist` is not an operator (write `==`)"),
        ("nicht a", "0: `nicht` is not an operator (write `!`)"),
        (
            "c.vip = ja && b",
            "6: `=` is not an operator (write `c.vip` where it is true or false, `c.vip == \"ja\"` where it is a text)",
        ),
        (
            "c.vip = 'Nein'",
            "6: `=` is not an operator (write `!c.vip` where it is true or false, `c.vip == \"Nein\"` where it is a text)",
        ),
    ] {
        assert_eq!(faults(text), [told], "{text}");
    }
    assert_eq!(words("c.os.exists(o, o.y > y.o)").len(), 16);
    assert_eq!(words("a in y && c.mehr > 1").len(), 9);
}

#[test]
fn what_would_exhaust_the_parser_is_refused() {
    assert_eq!(
        faults(&"(".repeat(33))[0],
        "32: brackets are nested deeper than 32 (name a part of it as a computed field)"
    );
    assert!(faults(&"1+".repeat(201))[0].contains("at most 400 are read"));
    assert!(faults(&" ".repeat(4097))[0].contains("at most 4096 are read"));
    assert_eq!(faults("  "), ["0: the condition is empty"]);
    assert_eq!(faults("(a]"), ["2: `]` closes nothing"]);
    assert_eq!(faults("f(\"a"), ["2: a text is never closed by \" (add \" where it ends)", "1: `(` is never closed"]);
}

#[test]
fn any_text_is_scanned_without_a_panic() {
    for text in ["\0", "é", "a.é", "'", "'\\", "r'", "\"\"\"", "'''a''", "1.", ".5", "..", "\u{10ffff}", "a'b"] {
        let _ = scan(text);
    }
}
