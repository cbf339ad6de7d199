//! Who comes to the same memo, and for how long.

use super::*;
use crate::secret::Secret;

fn account(identifier: &str, row: Option<(&str, u64)>) -> StateKey {
    StateKey {
        environment: "".into(),
        connection: "c".into(),
        identifier: Some(identifier.into()),
        row: row.map(|(id, version)| Row { id: id.into(), version }),
    }
}

fn values(token: &str) -> Values {
    let mut values = Values::default();
    values.set("provider/proxy_url", "https://api.example.com/");
    values.set_secret("account/token", Secret::from(token));
    values
}

fn of(identifier: &str) -> Whose {
    Whose::new(&account(identifier, None), 1, Digest::of(b"plugin"), 1, &values("t"))
}

impl Memos {
    /// Sets it as one call does that has just seen it.
    fn put(&self, memo: &Arc<Memo>, text: &str) {
        assert!(self.set(memo, &memo.seen(), text.into()));
    }

    /// What a call that comes now is shown.
    fn text(&self, whose: &Whose) -> String {
        String::from_utf8(self.find(whose.clone()).seen().bytes.to_vec()).unwrap()
    }

    fn kept(&self) -> usize {
        self.0.lock().kept.len()
    }
}

#[tokio::test]
async fn a_memo_is_replaced_only_by_who_has_seen_it_last() {
    let memos = Memos::default();
    let [first, second] = [memos.find(of("u")), memos.find(of("u"))];
    let [seen, late] = [first.seen(), second.seen()];
    assert!(memos.set(&first, &seen, b"1".to_vec()));
    assert!(!memos.set(&second, &late, b"2".to_vec()));
    assert_eq!(memos.text(&of("u")), "1");
    assert!(second.revision() > late.revision(), "remembered answers end with the memo");
}

#[tokio::test]
async fn it_is_there_for_the_next_subject_of_the_account_and_for_nobody_else() {
    let (memos, plugin) = (Memos::default(), Digest::of(b"plugin"));
    let row = |row| Whose::new(&account("u", Some(row)), 1, plugin, 1, &values("t"));
    // Nobody has it between two requests.
    memos.put(&memos.find(row(("r1", 1))), "mine");
    assert_eq!(memos.text(&row(("r1", 1))), "mine");
    assert_eq!(memos.text(&row(("r1", 2))), "mine", "what was changed is not among the values");
    for other in [row(("r2", 1)), of("u"), of("v")] {
        assert_eq!(memos.text(&other), "");
    }
    assert_eq!(memos.text(&row(("r1", 1))), "mine");
}

#[tokio::test]
async fn another_plugin_policy_state_or_value_begins_without_it_and_ends_it() {
    let (plugin, other) = (Digest::of(b"plugin"), Digest::of(b"other"));
    let key = account("u", None);
    let whose =
        |host, plugin, version, token| Whose::new(&key, host, plugin, version, &values(token));
    let first = whose(1, plugin, 1, "t");
    for next in [
        whose(2, plugin, 1, "t"),
        whose(1, other, 1, "t"),
        whose(1, plugin, 2, "t"),
        whose(1, plugin, 1, "u"),
    ] {
        let memos = Memos::default();
        memos.put(&memos.find(first.clone()), "first");
        assert_eq!(memos.text(&next), "");
        assert_eq!(memos.text(&first), "");
        // Who still has the old one sets nothing of the new one.
        let [old, new] = [memos.find(first.clone()), memos.find(next.clone())];
        memos.put(&old, "late");
        assert_eq!((memos.text(&next), new.revision()), (String::new(), 0));
    }
}

/// Two of them would count one nonce twice.
#[tokio::test(start_paused = true)]
async fn while_somebody_has_it_there_is_no_second_one_whatever_is_kept() {
    let memos = Memos::default();
    let ours = memos.find(of("ours"));
    memos.put(&ours, "ours");
    for nth in 0..=MOST_KEPT {
        tokio::time::advance(Duration::from_millis(1)).await;
        memos.put(&memos.find(of(&nth.to_string())), "theirs");
    }
    assert!(!memos.0.lock().kept.contains_key(&account("ours", None)));
    assert!(Arc::ptr_eq(&ours, &memos.find(of("ours"))));
    drop(ours);
    assert_eq!(memos.text(&of("ours")), "");
    assert_eq!(memos.text(&of(&MOST_KEPT.to_string())), "theirs");
}

#[tokio::test(start_paused = true)]
async fn no_more_than_so_many_are_kept_and_none_that_was_not_set_for_long() {
    let memos = Memos::default();
    for nth in 0..2 * MOST_KEPT {
        tokio::time::advance(Duration::from_millis(1)).await;
        memos.put(&memos.find(of(&nth.to_string())), "memo");
        assert!(memos.kept() <= MOST_KEPT);
    }
    let found = memos.0.lock().found.len();
    assert!(found <= 2 * MOST_KEPT + FIRST_SWEEP, "{found}");
    for _ in 0..7 {
        tokio::time::sleep(Duration::from_mins(1)).await;
        memos.put(&memos.find(of("busy")), "memo");
    }
    assert_eq!(memos.kept(), 1);
    tokio::time::sleep(Duration::from_mins(7)).await;
    assert_eq!(memos.kept(), 0);
    // Also of what comes after the last.
    memos.put(&memos.find(of("u")), "memo");
    tokio::time::sleep(Duration::from_mins(7)).await;
    assert_eq!(memos.kept(), 0);
}

#[tokio::test]
async fn an_empty_one_is_not_kept() {
    let memos = Memos::default();
    let memo = memos.find(of("u"));
    memos.put(&memo, "memo");
    assert_eq!(memos.kept(), 1);
    memos.put(&memo, "");
    assert_eq!(memos.kept(), 0);
}
