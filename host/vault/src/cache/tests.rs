use super::*;

type Texts = Cache<String, String>;

fn account(id: &str) -> Change {
    Change::Account(id.into())
}

fn state(id: &str) -> Change {
    Change::State(id.into())
}

fn keep(cache: &Texts, key: &str, made_of: &[Change]) {
    cache.keep(cache.begin(), key.to_owned(), Arc::new("value".to_owned()), made_of);
}

fn has(cache: &Texts, key: &str) -> bool {
    cache.get(&key.to_owned()).is_some()
}

#[test]
fn an_entry_goes_with_each_thing_that_it_was_made_of_and_with_no_other() {
    let made_of = [account("a"), Change::Connection("c".into()), Change::Provider("p".into())];
    for (change, goes) in [
        (account("a"), true),
        (Change::Connection("c".into()), true),
        (Change::Provider("p".into()), true),
        (state("a"), false),
        (account("c"), false),
        (Change::Client("a".into()), false),
    ] {
        let cache = Texts::new(&Following::current(), 100);
        keep(&cache, "key", &made_of);
        assert!(has(&cache, "key"));
        cache.changed(&change);
        assert_eq!(has(&cache, "key"), !goes, "{change:?}");
        cache.forget();
        assert!(!has(&cache, "key"));
    }
}

#[test]
fn what_was_read_before_a_change_is_not_kept_after_it() {
    let cache = Texts::new(&Following::current(), 100);
    let value = Arc::new("old".to_owned());
    let put = |reading, id: &str| {
        cache.keep(reading, id.to_owned(), Arc::clone(&value), &[account(id)]);
        has(&cache, id)
    };
    let reading = cache.begin();
    cache.changed(&account("a"));
    assert!(!put(reading, "a"));
    assert!(put(cache.begin(), "a"));
    // Any other is, but for the few that share a mark.
    let others = (0..100).filter(|n| put(reading, &format!("other {n}"))).count();
    assert!(others > 80, "{others}");
    let reading = cache.begin();
    cache.forget();
    assert!(!put(reading, "b"));
}

#[test]
fn what_is_made_of_nothing_is_not_kept() {
    let cache = Texts::new(&Following::current(), 100);
    keep(&cache, "key", &[]);
    assert!(!has(&cache, "key"));
}

/// Only where changes are not followed: what is there may be of before one.
#[test]
fn an_entry_that_is_replaced_goes_with_what_its_successor_was_made_of() {
    let following = Following::current();
    let cache = Texts::new(&following, 100);
    keep(&cache, "key", &[account("old")]);
    following.end();
    keep(&cache, "key", &[account("new")]);
    cache.changed(&account("old"));
    assert_eq!(cache.len(), 1);
    cache.changed(&account("new"));
    assert!(cache.is_empty());
}

#[test]
fn it_stays_within_its_bound_and_so_do_its_files() {
    for bound in [1, 10, 1000, 1001] {
        let cache = Texts::new(&Following::current(), bound);
        for n in 0..100_000 {
            let id = n.to_string();
            keep(&cache, &id, &[account(&id), Change::Provider("p".into())]);
        }
        let files = cache.files();
        assert!((1..=bound).contains(&cache.len()), "{bound}: {}", cache.len());
        assert_eq!(files.of.len(), cache.len(), "{bound}");
        assert_eq!(files.under.len(), cache.len() + 1, "{bound}");
        drop(files);
        cache.changed(&Change::Provider("p".into()));
        assert!(cache.is_empty());
        assert!(cache.files().of.is_empty() && cache.files().under.is_empty());
    }
}

#[test]
fn an_entry_that_is_evicted_is_dropped() {
    let cache = Texts::new(&Following::current(), 100);
    let value = Arc::new("secret".to_owned());
    let weak = Arc::downgrade(&value);
    cache.keep(cache.begin(), "key".to_owned(), value, &[account("a")]);
    assert!(weak.upgrade().is_some());
    cache.changed(&account("a"));
    assert!(weak.upgrade().is_none());
}

#[test]
fn nothing_is_answered_where_changes_are_not_followed() {
    let cache = Texts::new(&Following::new("node".to_owned(), crate::follow::LEASE), 100);
    keep(&cache, "key", &[account("a")]);
    assert!(!has(&cache, "key"));
}

#[test]
fn what_several_read_at_once_is_the_one_that_was_kept_first() {
    let following = Following::current();
    let cache = Texts::new(&following, 100);
    let keep = |value: &str| {
        let value = Arc::new(value.to_owned());
        cache.keep(cache.begin(), "key".to_owned(), value, &[account("a")])
    };
    let first = keep("first");
    assert!(Arc::ptr_eq(&keep("second"), &first));
    cache.changed(&account("a"));
    assert_eq!(*keep("after a change"), "after a change");
    // What is there may be of before a change that this process has not been told of.
    following.end();
    assert_eq!(*keep("unfollowed"), "unfollowed");
}
