//! How many kinds may be asked for in one query.

use wb_core::sync::Policy;

use crate::world::{HubUp, Instance};

#[tokio::test]
async fn a_query_names_so_many_kinds_and_no_more() {
    let hub = HubUp::start(Policy::Open).await;
    let alice = Instance::new(1);
    hub.register(&alice).await;
    for (count, cause) in [(64, "not_found"), (65, "bad_request")] {
        let kinds: Vec<String> = (0..count).map(|n| format!("kind_{n}")).collect();
        for call in ["lines", "snapshot"] {
            let kinds = kinds.join(",");
            let target = format!("/sync/v1/{call}/{}/public?kinds={kinds}", alice.id());
            let answer = hub.call(&alice, "GET", &target, None).await;
            assert_eq!(answer.cause(), cause, "{call}: {answer:?}");
        }
    }
}
