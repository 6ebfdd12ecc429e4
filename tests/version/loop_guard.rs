//! No page is reloaded over and over.

use evenkeel::core::version::{Blocker, Status, VersionOutput};

use super::world::{HOUR, LOOP_GUARD, MINUTE, SECOND, World};

#[track_caller]
fn assert_blocked(world: &World, by: Blocker) {
    assert_eq!((world.shown().status, world.shown().blocked_by), (Status::Blocked, Some(by)));
}

#[test]
fn a_page_that_comes_back_old_asks_the_person() {
    let mut world = World::new();
    world.learn('B');
    world.serves = Some('A');
    world.run_until_reloaded();
    world.forget();
    world.check();
    world.run(SECOND);
    assert_blocked(&world, Blocker::LoopGuard);
    assert_eq!(world.said(VersionOutput::Notice), 1);
    world.run(LOOP_GUARD - MINUTE);
    assert_eq!(world.reloads.len(), 1);
    assert_eq!(world.said(VersionOutput::Notice), 1);
}

#[test]
fn what_the_guard_blocked_is_tried_again_when_its_time_has_passed() {
    let mut world = World::new();
    world.learn('B');
    world.serves = Some('A');
    let first = world.run_until_reloaded();
    world.check();
    world.serves = Some('B');
    let second = world.run_until_reloaded();
    assert!((LOOP_GUARD..LOOP_GUARD + 2 * SECOND).contains(&(second - first)), "{}", second - first);
    assert_eq!(world.page, 'B');
}

#[test]
fn a_rolling_deploy_reloads_once_whatever_each_answer_says() {
    for seed in 0..300 {
        let mut world = World::seeded(seed, |_| {});
        // The page has been open for long.
        world.run(3 * HOUR);
        let until = world.now + LOOP_GUARD / 2;
        while world.now < until {
            let name = if world.rng.bool() { 'A' } else { 'B' };
            world.deploy(name);
            world.header(name);
            if world.rng.u32(0..4) == 0 {
                world.check();
            }
            let pause = world.rng.u64(0..20 * SECOND);
            world.run(pause);
        }
        assert!(world.reloads.len() <= 1, "{seed}: {:?}", world.reloads);
    }
}

#[test]
fn a_rolling_deploy_without_an_endpoint_reloads_once_too() {
    for seed in 0..300 {
        let mut world = World::seeded(seed, |settings| settings.endpoint = false);
        world.run(3 * HOUR);
        let until = world.now + LOOP_GUARD / 2;
        while world.now < until {
            let name = if world.rng.bool() { 'A' } else { 'B' };
            world.serves = Some(if world.rng.bool() { 'A' } else { 'B' });
            world.header(name);
            let pause = world.rng.u64(0..40 * SECOND);
            world.run(pause);
        }
        assert!(world.reloads.len() <= 1, "{seed}: {:?}", world.reloads);
    }
}

#[test]
fn without_storage_no_page_reloads_itself() {
    let mut world = World::new();
    world.storage_works = false;
    world.reload_by_hand();
    world.learn('B');
    assert_blocked(&world, Blocker::Storage);
    world.run(2 * HOUR);
    world.assert_not_reloaded();
    assert_eq!(world.said(VersionOutput::Notice), 1);
}

#[test]
fn a_reload_that_cannot_be_recorded_does_not_happen() {
    let mut world = World::new();
    world.learn('B');
    world.storage_works = false;
    world.run(MINUTE);
    world.assert_not_reloaded();
    assert_blocked(&world, Blocker::Storage);
    assert_eq!(world.said(VersionOutput::Notice), 1);
    world.storage_works = true;
    world.run(2 * HOUR);
    world.assert_not_reloaded();
}

#[test]
fn a_reload_that_the_person_declines_is_not_tried_again() {
    let mut world = World::new();
    world.declines = true;
    world.learn('B');
    world.run_until_reloaded();
    assert_eq!(world.shown().status, Status::Reloading);
    world.run(10 * SECOND);
    assert_blocked(&world, Blocker::LoopGuard);
    assert_eq!(world.said(VersionOutput::Notice), 1);
    world.run(3 * HOUR);
    assert_eq!(world.reloads.len(), 1);
}

#[test]
fn a_server_that_is_another_version_each_time_does_not_reload_a_page_without_end() {
    let mut world = World::new();
    for nth in 0..600 {
        let name = char::from_u32(0x1000 + nth).expect("a name");
        world.deploy(name);
        // What it serves knows nothing of that.
        world.serves = Some('A');
        world.header(name);
        world.run(SECOND);
        world.check();
        world.run(SECOND);
    }
    println!("{} reloads in {} min", world.reloads.len(), world.now / MINUTE);
    assert!(world.reloads.len() <= 16, "{}", world.reloads.len());
}

#[test]
fn a_clock_that_was_set_back_by_years_does_not_block_for_years() {
    let mut world = World::new();
    let (at, years) = (world.record[0].1, 5 * 365 * 24 * HOUR);
    world.record.push(('B', at + years));
    world.reload_by_hand();
    world.learn('B');
    world.run_until_reloaded();
}

#[test]
fn a_clock_that_is_set_back_a_little_blocks_for_twice_the_guard_at_most() {
    let mut world = World::new();
    world.learn('B');
    world.serves = Some('A');
    let first = world.run_until_reloaded();
    world.set_clock(-(LOOP_GUARD as i64) + 1_000);
    world.reload_by_hand();
    world.check();
    let second = world.run_until_reloaded();
    assert!((LOOP_GUARD..=2 * LOOP_GUARD + MINUTE).contains(&(second - first)), "{}", second - first);
}

#[test]
fn a_version_that_was_noted_many_times_is_one() {
    let mut world = World::new();
    let at = world.record[0].1;
    world.record.extend([('C', at); 12]);
    world.reload_by_hand();
    world.learn('B');
    world.run(MINUTE);
    assert_eq!(world.page, 'B');
}
