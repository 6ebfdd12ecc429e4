//! Pages that go, come back from the back/forward cache, or end the client.

use evenkeel::core::session::{SessionSays, Status};
use evenkeel::core::verify::Verified;

use super::script::*;
use super::world::World;

#[test]
fn a_page_that_is_restored_verifies() {
    let mut world = World::of(ANNE, 1);
    world.away(0, true);
    world.server.cookie = Some(BERT);
    world.run(MINUTE);
    assert_eq!(world.asked(), []);
    world.away(0, false);
    world.run(SECOND);
    assert_eq!((world.user(0), world.asked.len()), (Some(BERT), 1));
    assert_eq!(world.switches(0), [(ANNE, BERT)]);
}

#[test]
fn a_restored_page_believes_no_question_from_before_it_was_back() {
    let mut world = World::new(None);
    world.settle(2);
    world.away(1, true);
    world.server.latency = 3 * SECOND;
    world.request(0);
    world.run(SECOND);
    // Somebody signs in meanwhile, and goes back to this page.
    world.server.cookie = Some(BERT);
    world.server.latency = 50;
    world.away(1, false);
    world.run(5 * SECOND);
    assert_eq!((world.user(1), world.asked.len()), (Some(BERT), 2));
}

#[test]
fn a_page_that_goes_gives_up_the_lead_and_its_question() {
    let mut world = World::of(ANNE, 2);
    world.server.latency = 5 * SECOND;
    world.request(0);
    world.run(SECOND);
    world.away(0, true);
    assert!(!world.tabs[0].shown().leads);
    assert_eq!(world.said(|says| *says == SessionSays::Stopped).len(), 1);
    world.run(SECOND);
    assert_eq!(world.leaders(), [1]);
    world.away(0, false);
    world.run(10 * SECOND);
    assert_eq!(world.verdicts(0), [Verified::SignedIn(ANNE)], "who waited there is told");
    assert_eq!(world.leaders().len(), 1);
}

#[test]
fn a_page_that_somebody_left_is_attended_no_more() {
    let mut world = World::of(ANNE, 2);
    world.run_active(0, 2 * MINUTE);
    world.away(0, true);
    world.forget();
    world.run(IDLE - 3 * MINUTE);
    assert_eq!(world.asked(), []);
}

#[test]
fn a_page_whose_storage_of_pages_comes_and_goes_asks_once_each_time() {
    let mut world = World::of(ANNE, 2);
    for nth in 1..6 {
        world.away(1, true);
        world.run(SECOND);
        world.away(1, false);
        world.run(3 * SECOND);
        assert_eq!(world.asked.len(), nth);
    }
    world.assert_all(Status::Authenticated, Some(ANNE));
}

#[test]
fn nothing_comes_after_the_end() {
    for leads in [true, false] {
        let mut world = World::of(ANNE, 2);
        let tab = usize::from(!leads);
        world.server.latency = 5 * SECOND;
        world.request(tab);
        world.sign_out(1 - tab);
        world.run(3);
        world.stop(tab);
        // The watch would see it.
        world.act(tab);
        world.show(tab, false);
        world.show(tab, true);
        world.request(tab);
        world.sign_out(tab);
        world.network(tab, true);
        world.nudge(None);
        world.whisper(tab, 0, SessionSays::Verify);
        world.run(HOUR);
        world.sleep(HOUR);
        world.away(tab, true);
        world.away(tab, false);
        world.run(HOUR);
    }
}

#[test]
fn a_client_that_ends_leaves_the_lead_to_another_tab() {
    let mut world = World::of(ANNE, 3);
    world.stop(0);
    world.run(SECOND);
    assert!(world.tabs[1].shown().leads || world.tabs[2].shown().leads);
}
