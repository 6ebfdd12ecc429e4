//! Everything interleaved with everything. The invariants are the world's; what is random here is what the person, the
//! browser and the device do.

use proptest::prelude::*;

use super::world::{BOUND, HEARTBEAT, MINUTE, SECOND, THROTTLED, World};

/// Without a tab that runs as it should, a leader is found within a few rings of throttled timers.
const BOUND_THROTTLED: u64 = 5 * THROTTLED;

/// What happens next, to the tab of this number if there is one.
#[derive(Clone, Copy, Debug)]
enum Op {
    Open(bool),
    Close(usize),
    Kill(usize),
    Freeze(usize),
    Thaw(usize),
    Throttle(usize, bool),
    Show(usize, bool),
    /// Into the back/forward cache and out of it.
    Leave(usize),
    Return(usize),
    BreakLocks(bool),
    Event,
    Sleep(u64),
    Run(u64),
}

const TABS_MAX: usize = 7;

fn happen(world: &mut World, op: Op) {
    let there = |world: &World, tab: usize| world.tabs.get(tab).is_some_and(|tab| tab.alive);
    let runs = |world: &World, tab: usize| there(world, tab) && world.tabs[tab].runs();
    match op {
        Op::Open(visible) if world.tabs.len() < TABS_MAX => {
            world.open(visible);
        }
        Op::Close(tab) if runs(world, tab) => world.close(tab),
        Op::Kill(tab) if there(world, tab) => world.kill(tab),
        Op::Freeze(tab) if runs(world, tab) => world.freeze(tab),
        Op::Thaw(tab) if there(world, tab) && world.tabs[tab].frozen => world.thaw(tab),
        Op::Throttle(tab, throttled) if there(world, tab) => {
            let throttled = throttled && !world.tabs[tab].visible;
            world.throttle(tab, if throttled { THROTTLED } else { 1 });
        }
        Op::Show(tab, visible) if runs(world, tab) => {
            world.throttle(tab, 1);
            world.show(tab, visible);
        }
        Op::Leave(tab) if runs(world, tab) => world.leave(tab),
        Op::Return(tab) if there(world, tab) && !world.tabs[tab].joined => world.join(tab),
        Op::BreakLocks(broken) => world.break_locks(broken),
        Op::Event => world.event(),
        Op::Sleep(time) => world.sleep(time),
        Op::Run(time) => world.run(time),
        _ => {}
    }
}

/// After the last fault: one leader that all listen to, and nothing changes any more.
fn settle(world: &mut World) {
    world.break_locks(false);
    let running: Vec<usize> = (0..world.tabs.len()).filter(|tab| world.tabs[*tab].runs()).collect();
    let well = running.iter().any(|tab| world.tabs[*tab].timers_every == 1);
    // Of two that steal together, the one that keeps the lock may wait for a heartbeat before it leads.
    world.run(if well { BOUND + HEARTBEAT } else { BOUND_THROTTLED });
    assert_eq!(world.leaders().len(), running.len().min(1), "{running:?} at {}", world.now);
    // Tabs that came back lead on from where they were, one after another, before a visible one is given the work.
    world.run(TABS_MAX as u64 * BOUND);
    let Some(leader) = world.leaders().first().copied() else { return };
    if running.iter().any(|tab| world.tabs[*tab].timers_every > 1) {
        // Where locks broke, a throttled tab may say only at its next ring that it is there.
        world.run(THROTTLED);
    }
    world.assert_led_by(leader);
    world.forget();
    world.run(3 * MINUTE);
    // Words of the leader may go unheard for a moment, but nobody hands over who has no reason to.
    assert_eq!(world.changes, [], "at {}", world.now);
    world.assert_led_by(leader);
    let visible = running.iter().any(|tab| world.tabs[*tab].visible);
    assert!(world.tabs[leader].visible || !visible, "a visible tab leads, if there is one");
}

fn op() -> impl Strategy<Value = Op> {
    let tab = 0..TABS_MAX;
    prop_oneof![
        3 => any::<bool>().prop_map(Op::Open),
        1 => tab.clone().prop_map(Op::Close),
        1 => tab.clone().prop_map(Op::Kill),
        2 => tab.clone().prop_map(Op::Freeze),
        2 => tab.clone().prop_map(Op::Thaw),
        1 => (tab.clone(), any::<bool>()).prop_map(|(tab, throttled)| Op::Throttle(tab, throttled)),
        2 => (tab.clone(), any::<bool>()).prop_map(|(tab, visible)| Op::Show(tab, visible)),
        1 => tab.clone().prop_map(Op::Leave),
        2 => tab.prop_map(Op::Return),
        1 => any::<bool>().prop_map(Op::BreakLocks),
        2 => Just(Op::Event),
        1 => (0..60 * MINUTE).prop_map(Op::Sleep),
        5 => (0..100_u64).prop_map(Op::Run),
        4 => (0..10 * SECOND).prop_map(Op::Run),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_to_the_tabs_one_of_them_leads_soon_after(
        seed in any::<u64>(),
        ops in prop::collection::vec(op(), 1..60),
    ) {
        let mut world = World::seeded(seed);
        for op in ops {
            happen(&mut world, op);
        }
        settle(&mut world);
    }
}

/// The same with no weight on what makes small stories: many thousand long ones.
#[test]
fn thousands_of_afternoons_end_with_one_leader_each() {
    for seed in 0..2_000 {
        let mut world = World::seeded(seed);
        afternoon(&mut world, seed);
        settle(&mut world);
    }
}

#[test]
fn so_do_those_of_patient_groups_once_the_leader_is_missed() {
    for seed in 0..1_000 {
        let mut world = World::patient(seed);
        afternoon(&mut world, seed);
        world.break_locks(false);
        // Where locks broke, a tab is in the queue again after a heartbeat.
        world.run(2 * SECOND);
        let running: Vec<usize> = (0..world.tabs.len()).filter(|tab| world.tabs[*tab].runs()).collect();
        running.into_iter().for_each(|tab| world.miss(tab));
        settle(&mut world);
    }
}

fn afternoon(world: &mut World, seed: u64) {
    let mut rng = fastrand::Rng::with_seed(!seed);
    for _ in 0..rng.usize(5..60) {
        let (tab, yes) = (rng.usize(0..TABS_MAX), rng.bool());
        let op = match rng.u32(0..26) {
            0..4 => Op::Open(yes),
            4 => Op::Close(tab),
            5 => Op::Kill(tab),
            6..8 => Op::Freeze(tab),
            8..10 => Op::Thaw(tab),
            10 => Op::Throttle(tab, yes),
            11..13 => Op::Show(tab, yes),
            13 => Op::Leave(tab),
            14..16 => Op::Return(tab),
            16 => Op::BreakLocks(yes && tab == 0),
            17 => Op::Sleep(rng.u64(0..60 * MINUTE)),
            18 => Op::Event,
            19..22 => Op::Run(rng.u64(0..100)),
            _ => Op::Run(rng.u64(0..10 * SECOND)),
        };
        happen(world, op);
    }
}

#[test]
fn while_all_run_well_the_leader_changes_only_for_a_visible_tab_or_one_that_was_away() {
    for seed in 0..300_u64 {
        let mut world = World::seeded(seed);
        for nth in 0..5 {
            world.open(nth == 0);
            world.run(world.rng.clone().u64(0..200));
        }
        world.run(2 * SECOND);
        world.forget();
        for round in 0..40 {
            match world.rng.u32(0..5) {
                0 => {
                    let tab = world.open(false);
                    world.run(SECOND);
                    world.close(tab);
                }
                1 => world.sleep(10 * MINUTE),
                2 => world.event(),
                3 => {
                    let tab = 1 + round % 4;
                    let every = [1, SECOND, THROTTLED][world.rng.usize(0..3)];
                    world.throttle(tab, every);
                }
                _ => {}
            }
            let pause = world.rng.u64(0..5 * SECOND);
            world.run(pause);
        }
        assert_eq!(world.changes, [], "{seed}");
        world.assert_led_by(0);
        world.assert_nothing_missed();
    }
}
