//! Which edits may be used again, and what is asked of them then.

use super::*;

#[test]
fn remembered_edits_are_held_against_the_needs_of_now() {
    let (needs, edits): (Vec<_>, Vec<_>) = all().into_iter().unzip();
    let checked = check(&needs, &edits).unwrap();
    for at in 0..needs.len() {
        let mut fewer = needs.clone();
        fewer.remove(at);
        let mut request = Request::new(&[]);
        let admits = |_: &Url| Ok::<_, Infallible>(());
        let rules = EditRules::default();
        let error =
            checked.apply(&granted(&fewer), &rules, request.outgoing(), admits).unwrap_err();
        assert!(matches!(error, EditError::NotGranted(_)));
        assert_eq!(request, Request::new(&[]));
    }
    let bare = check(&["send bare"], &[]).unwrap();
    assert!(matches!(bare.recheck(&granted(&[]), &EditRules::default()), Err(EditError::Bare)));
}

#[test]
fn edits_that_hold_something_of_the_request_are_not_remembered() {
    for (need, edit) in all() {
        let of_request = matches!(edit, Asked::SetPath(_) | Asked::SetBody(_));
        let checked = check(&[need, "send bare"], &[edit]).unwrap();
        assert_eq!(checked.may_be_remembered(), !of_request, "{need}");
        assert_eq!((checked.len(), checked.is_empty()), (1, false));
        assert_eq!(checked.origin(), None);
    }
    let none = check(&["send bare"], &[]).unwrap();
    assert_eq!((none.len(), none.is_empty()), (0, true));
}
