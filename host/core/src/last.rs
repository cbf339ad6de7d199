//! What is worked out for each account of a connection, and mostly comes to the same for all.

use std::sync::{Arc, Mutex, PoisonError, Weak};

/// What came of it last, so that all accounts for which it is the same share one. Clones share it too.
///
/// A request to one of many accounts then finds it in the processor's cache, where that of the account
/// would not be; and there is one of it in memory. It is kept by those who have it and by nobody else, as it
/// may hold a value of an account: a key in a path.
pub(crate) struct Last<T>(Arc<Mutex<Weak<T>>>);

impl<T: PartialEq> Last<T> {
    /// The last one, where it is the same; otherwise this one, which is the last from now on.
    pub(crate) fn shared(&self, value: T) -> Arc<T> {
        // Each change is one assignment: a panic elsewhere leaves it whole.
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = last.upgrade().filter(|last| **last == value) {
            return last;
        }
        let value = Arc::new(value);
        *last = Arc::downgrade(&value);
        value
    }
}

impl<T> Clone for Last<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Default for Last<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_the_same_is_one_and_what_differs_is_not() {
        let last = Last::default();
        let [first, same, other] = ["a", "a", "b"].map(|it| last.clone().shared(it.to_owned()));
        assert!(Arc::ptr_eq(&first, &same), "a clone shares it");
        assert_eq!(*other, "b");
        assert!(Arc::ptr_eq(&other, &last.shared("b".to_owned())));
        assert_eq!(*first, "a", "who has it keeps it");
    }

    /// What an account put into it goes with the account.
    #[test]
    fn what_nobody_has_any_more_is_gone() {
        let last = Last::default();
        let path = Arc::new("/bot-of-u1/");
        drop(last.shared(Arc::clone(&path)));
        assert_eq!(Arc::strong_count(&path), 1);
        assert_eq!(*last.shared(Arc::clone(&path)), path);
    }
}
