//! How many requests are under way: in all, and for each account.
//!
//! Past a bound a request is refused at once and told when to come again, rather than queued: those
//! that are under way then go on as fast as before. A place is taken until the reply has ended.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use foldhash::fast::RandomState;
use http_body::{Body, Frame, SizeHint};
use prometheus_client::metrics::gauge::Gauge;

use crate::fault::{Fault, Kind};

use super::message::settle_trailers;

/// When to come again.
const SOON: Duration = Duration::from_secs(1);

/// Counts.
pub(crate) struct Crowd {
    most: AtomicUsize,
    most_for_one: AtomicUsize,
    under_way: Mutex<UnderWay>,
    /// The same number, where it is seen.
    gauge: Gauge,
}

#[derive(Default)]
struct UnderWay {
    all: usize,
    /// By the account's id; none is 0. The ids are the vault's own choice, and so a hash need not
    /// withstand whoever chooses keys.
    by_account: HashMap<Arc<str>, usize, RandomState>,
}

/// A place among all, and among those of its account. Given back when dropped.
pub(super) struct Place {
    crowd: Arc<Crowd>,
    account: Option<Arc<str>>,
}

impl Crowd {
    pub(crate) fn new(most: usize, most_for_one: usize, gauge: Gauge) -> Arc<Self> {
        let (most, most_for_one) = (most.into(), most_for_one.into());
        Arc::new(Self { most, most_for_one, under_way: Mutex::default(), gauge })
    }

    /// Other bounds, for who comes from now on.
    pub(crate) fn set(&self, most: usize, most_for_one: usize) {
        self.most.store(most, Ordering::Relaxed);
        self.most_for_one.store(most_for_one, Ordering::Relaxed);
    }

    /// A place among all.
    pub(super) fn enter(self: &Arc<Self>) -> Result<Place, Fault> {
        let mut under_way = self.lock();
        if under_way.all >= self.most.load(Ordering::Relaxed) {
            let message = "too many requests are under way: come again later";
            return Err(Fault::new(Kind::Unavailable, "overloaded", message).after(SOON));
        }
        under_way.all += 1;
        self.gauge.inc();
        Ok(Place { crowd: Arc::clone(self), account: None })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, UnderWay> {
        // Each change is one assignment: a panic elsewhere leaves them whole.
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// The same for an account, once it is known.
    pub(super) fn of(mut self, account: &Arc<str>) -> Result<Self, Fault> {
        {
            let mut under_way = self.crowd.lock();
            let count = under_way.by_account.entry(Arc::clone(account)).or_default();
            if *count >= self.crowd.most_for_one.load(Ordering::Relaxed) {
                let message = "too many requests of this account are under way: come again later";
                return Err(Fault::new(Kind::TooMany, "too_many_requests", message).after(SOON));
            }
            *count += 1;
        }
        self.account = Some(Arc::clone(account));
        Ok(self)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut under_way = self.crowd.lock();
        under_way.all -= 1;
        self.crowd.gauge.dec();
        let Some(account) = self.account.take() else { return };
        if let Entry::Occupied(mut count) = under_way.by_account.entry(account) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }
}

/// A reply's body that keeps its place until it has ended.
pub(super) struct Counted<B> {
    body: B,
    _place: Place,
}

impl<B> Counted<B> {
    pub(super) fn new(body: B, place: Place) -> Self {
        Self { body, _place: place }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Counted<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let mut frame = std::task::ready!(Pin::new(&mut self.body).poll_frame(context));
        if let Some(Ok(frame)) = &mut frame
            && let Some(trailers) = frame.trailers_mut()
        {
            settle_trailers(trailers);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_taken_until_it_is_given_back() {
        let crowd = Crowd::new(3, 2, Gauge::default());
        let enter = |account: &str| crowd.enter().and_then(|place| place.of(&account.into()));
        let (first, _second) = (enter("u1").unwrap(), enter("u1").unwrap());
        assert_eq!(enter("u1").err().unwrap().code, "too_many_requests");
        assert_eq!(crowd.lock().all, 2, "one that was refused takes no place");
        let _other = enter("u2").unwrap();
        let refused = enter("u3").err().unwrap();
        assert_eq!((refused.code, refused.retry_after), ("overloaded", Some(SOON)));
        drop(first);
        let _third = enter("u1").unwrap();
    }

    #[test]
    fn accounts_that_rest_take_no_memory() {
        let crowd = Crowd::new(10, 10, Gauge::default());
        drop((0..5).map(|n| crowd.enter().unwrap().of(&n.to_string().into())).collect::<Vec<_>>());
        assert!(crowd.lock().by_account.is_empty());
        assert_eq!(crowd.lock().all, 0);
    }
}
