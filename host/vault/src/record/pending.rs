//! Flows that wait for a user.

use countersign::secret::Secret;
use countersign::store::Row;

/// A flow that waits for a user to come back with its state token. No `Debug`.
#[derive(Clone)]
pub struct PendingFlow {
    /// The account that it is of, or the connection where it is of what that shares, as it was when
    /// the flow was begun.
    pub row: Row,
    /// What the secrets in it were given for: they go nowhere else.
    pub origins: Vec<String>,
    /// What its owner needs to go on: any text.
    pub content: Secret,
    /// When nobody waits for the user any more.
    pub ends_at: u64,
}

/// What came of asking for a pending flow. Whatever it is, there is nothing of that token any more.
pub enum Taken {
    /// The flow; nobody else is given it.
    Flow(PendingFlow),
    /// Its time was over. It is begun again.
    Ended,
    /// Its account or connection is another than it was begun for. It is begun again.
    Moved,
    /// There is none: there never was, it was taken before, its row was deleted, or it ended long ago.
    Nothing,
}
