//! What everybody may read of a hub: who is listed, and what they published. Each call is one reading.

use wb_core::id::{InstanceId, RecordRef};
use wb_core::time::Timestamp;
pub use wb_store::relay::{
    CommentPlace, CommentsAsk, Community, CommunityPlace, ListedComment, ListedRequest,
    RequestOrder, RequestPlace, RequestsAsk, RequestsPage, Tally, Words,
};

use crate::invites::HubInvites;
use crate::notices::HubNotices;
use crate::store::Kept;

/// Where a hub keeps what its pages list. Nothing is given of who is not listed, waits or is suspended; what the hub says
/// about them is. Its pages are for moderators as well, so it keeps what they are made from, too.
pub trait HubListings: HubNotices + HubInvites {
    /// Communities by name, after a place where one is given.
    fn communities(
        &self,
        after: Option<CommunityPlace>,
        limit: usize,
        now: Timestamp,
    ) -> impl Future<Output = Kept<Vec<Community>>> + Send;

    /// One community.
    fn community(
        &self,
        id: InstanceId,
        now: Timestamp,
    ) -> impl Future<Output = Kept<Option<Community>>> + Send;

    /// Public requests.
    fn requests(
        &self,
        ask: RequestsAsk,
        now: Timestamp,
    ) -> impl Future<Output = Kept<RequestsPage>> + Send;

    /// One public request.
    fn request(
        &self,
        key: RecordRef,
        now: Timestamp,
    ) -> impl Future<Output = Kept<Option<ListedRequest>>> + Send;

    /// Public comments on a request, oldest first.
    fn comments(
        &self,
        ask: CommentsAsk,
        now: Timestamp,
    ) -> impl Future<Output = Kept<Vec<ListedComment>>> + Send;
}
