//! The door of `plusone.toml`, `data.toml` and the command line.

use super::{DATA, expect, in_state, outbox, shop};
use crate::harness::home::{Home, Settings};
use std::process::{Command, Stdio};

fn utf16(text: &str) -> Vec<u8> {
    [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect()
}

#[test]
fn broken_settings_end_every_command_with_2_and_say_where() {
    let home = shop(3, &Settings::default());
    let good = home.read("config/plusone.toml");
    home.plusone(&["once", "--no-send"]).ended_with(0);
    let latin = [good.as_bytes(), b"# caf\xe9\n"].concat();
    let deep = format!("x = {}", "[".repeat(20_000));
    let huge = format!("{good}#{}", "x".repeat(2_000_000));
    let with = |key: &str, line: &str| {
        let start = good.find(&format!("\n{key} = ")).expect("the key is there") + 1;
        let end = start + good[start..].find('\n').expect("the line ends");
        format!("{}{line}{}", &good[..start], &good[end..]).into_bytes()
    };
    let cases: Vec<(&str, Vec<u8>, &[&str])> = vec![
        ("a bracket that is not closed", b"x = [\n".to_vec(), &["config/plusone.toml:1:", "never closed"]),
        ("no TOML", b"garbage".to_vec(), &["config/plusone.toml:1:", "not understood"]),
        ("empty", Vec::new(), &["config/plusone.toml", "business"]),
        ("UTF-16", utf16(&good), &["config/plusone.toml", "UTF-16", "save it as UTF-8"]),
        ("Latin-1", latin, &["config/plusone.toml", "line", "not UTF-8", "save the file as UTF-8"]),
        ("brackets without end", deep.into_bytes(), &["config/plusone.toml:1:"]),
        ("2 MB", huge.into_bytes(), &["config/plusone.toml", "bytes"]),
        (
            "a missing variable",
            with("name", "name = \"${NOT_SET_ANYWHERE}\""),
            &["NOT_SET_ANYWHERE", "not set", "set it"],
        ),
        ("a NUL", with("name", "name = \"a\\u0000b\""), &["control character", "take it out"]),
        ("two lines", with("name", "name = \"a\\r\\nBcc: x@y.test\""), &["good `name`", "one line"]),
        ("an unknown key", with("name", "nmae = \"Shop\""), &["nmae", "name"]),
        ("a bad address", with("listen", "listen = \"127.0.0.1:99999\""), &["good `listen`"]),
        ("a strange database", with("url", "url = \"mysql://x/y\""), &["sqlite://", "postgres://"]),
    ];
    for (name, text, words) in cases {
        std::fs::write(home.path().join("config/plusone.toml"), text).expect("the home is ours");
        for command in ["once", "run", "check", "status"] {
            let ran = home.plusone(&[command]);
            assert_eq!(ran.code, Some(2), "{name}: {command}: {}{}", ran.stdout, ran.stderr);
        }
        expect(home.plusone(&["once"]), 2, words);
    }
    home.write("config/plusone.toml", &good);
    home.plusone(&["once"]).ended_with(0);
    assert_eq!((outbox(&home).len(), in_state(&home, "sent")), (3, 3), "what was planned before goes out, once");
}

#[test]
fn a_broken_description_of_the_data_is_refused_too() {
    let home = shop(1, &Settings::default());
    home.plusone(&["once", "--no-send"]).ended_with(0);
    let cases: [(&str, &[&str]); 4] = [
        ("[customer", &["config/data.toml:1:", "not whole"]),
        ("", &["config/data.toml", "customer"]),
        (&DATA.replace("id = \"text\"", "id = \"txet\""), &["config/data.toml:", "text"]),
        (&DATA.replace("[customer]\n", "[customer]\nsuorce = 1\n"), &["suorce", "source"]),
    ];
    for (text, words) in cases {
        home.write("config/data.toml", text);
        expect(home.plusone(&["once"]), 2, words);
    }
    home.write("config/data.toml", DATA);
    home.plusone(&["once"]).ended_with(0);
    assert_eq!(outbox(&home).len(), 1);
}

#[test]
fn bad_usage_is_told_with_the_way_out() {
    let home = shop(1, &Settings::default());
    let cases: [(&[&str], i32, &[&str]); 10] = [
        (&["once", "--home", "/nowhere/at/all"], 2, &["/nowhere/at/all", "plusone init", "--home"]),
        (&["check", "--home", "/nowhere/at/all"], 2, &["/nowhere/at/all", "plusone init"]),
        (&["once", "--home", "/etc/passwd"], 2, &["/etc/passwd"]),
        (&["frobnicate"], 2, &["frobnicate"]),
        (&["once", "--at", "garbage"], 2, &["garbage", "2026-11-03"]),
        (&["log", "--since", "garbage"], 2, &["garbage", "2026-11-03"]),
        (&["once", "--rule", "helo"], 2, &["helo", "hello"]),
        (&["import", "custmer", "customers.csv"], 2, &["custmer", "customer"]),
        (&["show", "nothing-like-it"], 1, &["nothing-like-it", "plusone log"]),
        (&["redeem", "NO-SUCH-CODE"], 1, &["NO-SUCH-CODE"]),
    ];
    for (arguments, code, words) in cases {
        expect(home.plusone(arguments), code, words);
    }
    expect(Home::new().plusone(&["once"]), 2, &["no configuration", "plusone init"]);
}

#[test]
fn a_reader_who_went_away_ends_no_pass_and_a_full_one_is_a_failure() {
    let home = shop(3, &Settings::default());
    let mut command = home.command(&["once"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    drop(child.stdout.take());
    drop(child.stderr.take());
    assert_eq!(child.wait().expect("the process is ours").code(), Some(0));
    assert_eq!(outbox(&home).len(), 3);
    if !cfg!(target_os = "linux") {
        return;
    }
    let full = |command: &mut Command| {
        let full = std::fs::File::create("/dev/full").expect("Linux has it");
        let ran = command.stdout(full).stderr(Stdio::piped()).output().expect("the program starts");
        (ran.status.code(), String::from_utf8_lossy(&ran.stderr).into_owned())
    };
    for arguments in [&["log"][..], &["who", "hello"], &["check"], &["log", "--json"]] {
        let (code, stderr) = full(&mut home.command(arguments));
        assert_eq!(code, Some(1), "{arguments:?}: {stderr}");
        assert!(stderr.contains("cannot write the answer"), "{stderr}");
    }
}
