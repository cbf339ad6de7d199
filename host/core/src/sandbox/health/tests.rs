//! The record of one plugin, by a clock of the test's own.

use super::*;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn five_faults_in_ten_seconds_suspend_and_four_do_not() {
    let (health, limits, start) = (Health::new(), Limits::default(), Instant::now());
    for nth in 0..4 {
        assert_eq!(health.faulted(start + nth * SECOND, &limits), None);
    }
    assert_eq!(health.suspended(start + 4 * SECOND), None);
    assert_eq!(health.faulted(start + 4 * SECOND, &limits), Some(SECOND));
    assert_eq!(health.suspended(start + 4 * SECOND), Some(SECOND));
    assert_eq!(health.suspended(start + 5 * SECOND), None);
    assert_eq!(health.total_faults(), 5);
}

#[test]
fn faults_far_apart_do_not_add_up() {
    let (health, limits, start) = (Health::new(), Limits::default(), Instant::now());
    for nth in 0..20 {
        assert_eq!(health.faulted(start + nth * 3 * SECOND, &limits), None);
    }
}

#[test]
fn each_further_suspension_lasts_twice_as_long_up_to_a_bound() {
    let (health, limits, mut now) = (Health::new(), Limits::default(), Instant::now());
    for _ in 0..4 {
        health.faulted(now, &limits);
    }
    let mut lengths = Vec::new();
    for _ in 0..11 {
        let length = health.faulted(now, &limits).unwrap();
        lengths.push(length.as_secs());
        assert_eq!(health.faulted(now, &limits), None, "calls already under way do not count");
        now += length;
    }
    assert_eq!(lengths, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
}

#[test]
fn a_good_answer_after_a_suspension_clears_it() {
    let (health, limits, start) = (Health::new(), Limits::default(), Instant::now());
    for _ in 0..5 {
        health.faulted(start, &limits);
    }
    let later = start + SECOND;
    health.succeeded(later);
    assert_eq!(health.suspended(later), None);
    for _ in 0..4 {
        assert_eq!(health.faulted(later, &limits), None, "the count begins anew");
    }
    assert_eq!(health.faulted(later, &limits), Some(SECOND), "and so does the length");
}

#[test]
fn a_good_answer_of_a_call_already_under_way_does_not_end_a_suspension() {
    let (health, limits, start) = (Health::new(), Limits::default(), Instant::now());
    for _ in 0..5 {
        health.faulted(start, &limits);
    }
    health.succeeded(start + SECOND / 2);
    assert_eq!(health.suspended(start + SECOND / 2), Some(SECOND / 2));
}
