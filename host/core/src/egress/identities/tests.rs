//! What is kept for a certificate, and when it goes.

use std::sync::LazyLock;

use super::super::address::AddressPolicy;
use super::super::dial::SystemResolver;
use super::super::tls;
use super::*;
use crate::secret::Secret;

fn identities() -> Identities {
    let longest = Duration::from_secs(1);
    let addresses = Arc::new(AddressPolicy::default());
    let dial = Dial::new(Arc::new(SystemResolver), addresses, Vec::new(), longest);
    let authority = rcgen::CertificateParams::new(Vec::new()).unwrap();
    let authority = authority.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap();
    Identities::new(dial, tls::config(vec![authority.der().clone()]).unwrap(), longest)
}

/// One certificate in many hands.
fn of(holder: usize) -> ClientCertificate {
    static PAIR: LazyLock<[Secret; 2]> = LazyLock::new(|| {
        let key = rcgen::KeyPair::generate().unwrap();
        let chain = rcgen::CertificateParams::new(Vec::new()).unwrap().self_signed(&key).unwrap();
        [Secret::new(chain.pem()), Secret::new(key.serialize_pem())]
    });
    let [chain, key] = &*PAIR;
    ClientCertificate::parse(["c", "k"], chain, key, &[&holder.to_string()]).unwrap()
}

impl Identities {
    fn holds(&self, holder: usize) -> bool {
        self.kept.lock().contains_key(&of(holder).identity())
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_certificate_has_the_same_connections_and_another_has_others() {
    let identities = identities();
    let first = identities.clients(&of(1));
    assert!(Arc::ptr_eq(&first, &identities.clients(&of(1))));
    assert!(!Arc::ptr_eq(&first, &identities.clients(&of(2))));
}

#[tokio::test(start_paused = true)]
async fn what_nobody_uses_goes_and_what_somebody_uses_stays() {
    let identities = identities();
    let kept = identities.clients(&of(1));
    identities.clients(&of(2));
    for _ in 0..7 {
        tokio::time::sleep(Duration::from_mins(1)).await;
        assert!(Arc::ptr_eq(&kept, &identities.clients(&of(1))));
    }
    assert!(identities.holds(1) && !identities.holds(2));
    // Also the last one, and what comes after it.
    tokio::time::sleep(Duration::from_mins(7)).await;
    assert!(identities.kept.lock().is_empty());
    identities.clients(&of(3));
    tokio::time::sleep(Duration::from_mins(7)).await;
    assert!(identities.kept.lock().is_empty());
}

#[tokio::test(start_paused = true)]
async fn where_there_are_too_many_the_one_goes_that_was_used_the_longest_ago() {
    let identities = identities();
    for holder in 0..MOST {
        identities.clients(&of(holder));
        tokio::time::advance(Duration::from_millis(1)).await;
    }
    assert!(identities.holds(0) && identities.kept.lock().len() == MOST);
    identities.clients(&of(0));
    tokio::time::advance(Duration::from_millis(1)).await;
    identities.clients(&of(MOST));
    assert!(identities.holds(0) && !identities.holds(1) && identities.holds(2));
    assert_eq!(identities.kept.lock().len(), MOST);
}
