//! Formatters that were made before, one set for each thread: they cannot be shared among threads.
//!
//! A thread keeps [`MOST`] of a kind at most. A customer's locale is text of theirs: were there no end, it could fill
//! the memory.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::Hash;
use std::rc::Rc;
use std::thread::LocalKey;

const MOST: usize = 64;

/// Formatters by what they were made for.
pub type Kept<K, F> = RefCell<HashMap<K, Rc<F>>>;

/// The formatter for `key`, made where there is none yet.
pub fn get<K: Eq + Hash, F, E>(
    kept: &'static LocalKey<Kept<K, F>>,
    key: K,
    make: impl FnOnce() -> Result<F, E>,
) -> Result<Rc<F>, E> {
    if let Some(formatter) = kept.with_borrow(|kept| kept.get(&key).cloned()) {
        return Ok(formatter);
    }
    let formatter = Rc::new(make()?);
    kept.with_borrow_mut(|kept| {
        if kept.len() >= MOST {
            kept.clear();
        }
        kept.insert(key, Rc::clone(&formatter));
    });
    Ok(formatter)
}

#[cfg(test)]
mod tests {
    use super::*;

    thread_local! {
        static LENGTHS: Kept<String, usize> = Kept::default();
    }

    #[test]
    fn a_thing_is_made_once_and_memory_has_an_end() {
        let length = |text: &str| get(&LENGTHS, text.to_owned(), || Ok::<_, ()>(text.len())).map(|made| *made);
        assert_eq!(length("abc"), Ok(3));
        assert_eq!(get(&LENGTHS, "abc".to_owned(), || Err("made again")).map(|made| *made), Ok(3));
        assert_eq!(get(&LENGTHS, "new".to_owned(), || Err("cannot be made")).map(|made| *made), Err("cannot be made"));
        for number in 0..10 * MOST {
            assert!(length(&number.to_string()).is_ok());
        }
        assert!(LENGTHS.with_borrow(HashMap::len) <= MOST);
    }
}
