//! A circuit breaker: while a server fails, requests fail at once here instead of slowly there.
//!
//! Closed, it counts. It opens after a run of failures, or when too large a share of the recent results failed. Open,
//! it refuses for a while; then it is half-open and lets one request through as a probe, whose outcome closes it or
//! opens it for twice as long. The terms are those of Polly and resilience4j.

use super::random::Random;
use super::time::{Duration, Timestamp};

/// The sliding window moves in tenths: a result leaves it after nine to ten tenths of [`BreakerSettings::window`].
const BUCKETS: usize = 10;

/// When to open, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct BreakerSettings {
    /// So many failures in a row open it. Default 5.
    pub consecutive: u32,
    /// Such a share of failures in the window opens it. Default 0.5.
    pub ratio: f64,
    /// The share counts from so many results in the window. Default 10.
    pub minimum: u32,
    /// How far back the share looks. Default 30 s.
    pub window: Duration,
    /// How long it stays open at first. Default 5 s.
    pub open: Duration,
    /// What the open time doubles up to while probes fail. Default 60 s.
    pub max_open: Duration,
}

impl Default for BreakerSettings {
    fn default() -> BreakerSettings {
        BreakerSettings {
            consecutive: 5,
            ratio: 0.5,
            minimum: 10,
            window: Duration::from_secs(30),
            open: Duration::from_secs(5),
            max_open: Duration::from_secs(60),
        }
    }
}

/// What an answer says about the server's health.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It works.
    Success,
    /// It does not: 5xx, a timeout, no connection.
    Failure,
    /// An answer that tells nothing about its health (4xx, 429). It counts for nothing, but it is an answer: it closes
    /// a half-open breaker.
    Neither,
}

/// Whether a request may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Send it.
    Pass,
    /// Send it; its outcome decides. It must end in [`Breaker::record`] with `probe` set, or in
    /// [`Breaker::abandon_probe`].
    Probe,
    /// Do not send it.
    Refused {
        /// When asking again makes sense: what is left of the open time, or the first open time while a probe is out.
        retry_after: Duration,
    },
}

/// The three states of a circuit breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerState {
    /// Requests pass.
    Closed,
    /// Requests are refused.
    Open,
    /// A probe may pass, or is out.
    HalfOpen,
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    Closed,
    Open { since: Timestamp, length: Duration },
    HalfOpen { probe_out: bool },
}

/// The results of one tenth of the window.
#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    tenth: u64,
    total: u32,
    failures: u32,
}

/// One breaker, for one origin or one route.
#[derive(Clone, Debug)]
pub struct Breaker {
    settings: BreakerSettings,
    phase: Phase,
    /// How long it opens next, before jitter.
    open: Duration,
    failures_in_a_row: u32,
    buckets: [Bucket; BUCKETS],
}

impl Breaker {
    /// Starts closed.
    #[must_use]
    pub fn new(settings: BreakerSettings) -> Breaker {
        Breaker {
            settings,
            phase: Phase::Closed,
            open: settings.open.min(settings.max_open),
            failures_in_a_row: 0,
            buckets: [Bucket::default(); BUCKETS],
        }
    }

    /// Whether a request may be sent now. After [`Admission::Probe`] the probe's place is taken.
    pub fn admit(&mut self, now: Timestamp) -> Admission {
        let admission = self.peek(now);
        if admission == Admission::Probe {
            self.phase = Phase::HalfOpen { probe_out: true };
        }
        admission
    }

    /// What [`Breaker::admit`] would say, without taking the probe's place.
    #[must_use]
    pub fn peek(&self, now: Timestamp) -> Admission {
        match self.phase {
            Phase::Closed => Admission::Pass,
            Phase::HalfOpen { probe_out: true } => Admission::Refused { retry_after: self.settings.open },
            Phase::HalfOpen { probe_out: false } => Admission::Probe,
            Phase::Open { since, length } => {
                let left = length.saturating_sub(now.since(since));
                // A clock that was set back would make the wait as long as its error. One probe finds out.
                if left.is_zero() || now < since { Admission::Probe } else { Admission::Refused { retry_after: left } }
            }
        }
    }

    /// A request that was admitted came to its end. `probe`: whether it was admitted as [`Admission::Probe`].
    ///
    /// Only a failure can open a closed breaker. While it is open or half-open, requests that were sent before it opened
    /// come to their ends too: they change nothing. An open time is drawn evenly from 1 to 1.5 times its length, so that
    /// many clients do not probe together; the longest is thus 1.5 times [`BreakerSettings::max_open`].
    pub fn record(&mut self, now: Timestamp, verdict: Verdict, probe: bool, random: &mut Random) {
        match self.phase {
            Phase::Closed => self.count(now, verdict, random),
            Phase::HalfOpen { probe_out: true } if probe => {
                if verdict == Verdict::Failure {
                    self.open = self.open.saturating_mul(2).min(self.settings.max_open);
                    self.trip(now, random);
                } else {
                    *self = Breaker::new(self.settings);
                }
            }
            _ => {}
        }
    }

    /// The probe was aborted: the next request takes its place.
    pub fn abandon_probe(&mut self) {
        if let Phase::HalfOpen { probe_out } = &mut self.phase {
            *probe_out = false;
        }
    }

    /// The state now. An open breaker whose time is over is half-open.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> BreakerState {
        match (self.phase, self.peek(now)) {
            (Phase::Closed, _) => BreakerState::Closed,
            (Phase::Open { .. }, Admission::Refused { .. }) => BreakerState::Open,
            _ => BreakerState::HalfOpen,
        }
    }

    fn count(&mut self, now: Timestamp, verdict: Verdict, random: &mut Random) {
        let failed = match verdict {
            Verdict::Neither => return,
            Verdict::Success => false,
            Verdict::Failure => true,
        };
        self.failures_in_a_row = if failed { self.failures_in_a_row.saturating_add(1) } else { 0 };

        let tenth_ms = (self.settings.window.as_millis() / BUCKETS as u64).max(1);
        let tenth = now.0 / tenth_ms;
        let (mut total, mut failures) = (0_u32, 0_u32);
        for bucket in &mut self.buckets {
            // What lies ahead was counted before the clock was set back, and is as worthless as what is too old.
            if bucket.tenth > tenth || tenth - bucket.tenth >= BUCKETS as u64 {
                *bucket = Bucket::default();
            }
            total = total.saturating_add(bucket.total);
            failures = failures.saturating_add(bucket.failures);
        }
        let bucket = &mut self.buckets[(tenth % BUCKETS as u64) as usize];
        bucket.tenth = tenth;
        bucket.total = bucket.total.saturating_add(1);
        bucket.failures = bucket.failures.saturating_add(u32::from(failed));
        total = total.saturating_add(1);
        failures = failures.saturating_add(u32::from(failed));

        let run = self.failures_in_a_row >= self.settings.consecutive;
        let share = total >= self.settings.minimum && f64::from(failures) >= self.settings.ratio * f64::from(total);
        if failed && (run || share) {
            self.trip(now, random);
        }
    }

    fn trip(&mut self, now: Timestamp, random: &mut Random) {
        let length_ms = self.open.saturating_add(random.up_to(self.open / 2)).as_millis();
        // Whole milliseconds, as the moments are: a remainder would be refused with a wait of nothing.
        self.phase = Phase::Open { since: now, length: Duration::from_millis(length_ms) };
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const START: Timestamp = Timestamp(1_800_000_000_000);

    fn after(seconds: u64) -> Timestamp {
        START + s(seconds)
    }

    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    fn fail(breaker: &mut Breaker, times: u32, now: Timestamp, random: &mut Random) {
        for _ in 0..times {
            breaker.record(now, Verdict::Failure, false, random);
        }
    }

    /// A breaker with the defaults, and dice.
    fn breaker() -> (Breaker, Random) {
        (Breaker::new(BreakerSettings::default()), Random::new(7))
    }

    /// Opened at `START` by five failures in a row.
    fn opened() -> (Breaker, Random) {
        let (mut breaker, mut random) = breaker();
        fail(&mut breaker, 5, START, &mut random);
        (breaker, random)
    }

    fn left(breaker: &Breaker, now: Timestamp) -> Duration {
        match breaker.peek(now) {
            Admission::Refused { retry_after } => retry_after,
            _ => Duration::ZERO,
        }
    }

    #[test]
    fn five_failures_in_a_row_open_it() {
        let (mut breaker, mut random) = breaker();
        fail(&mut breaker, 4, START, &mut random);
        assert_eq!(breaker.admit(START), Admission::Pass);

        breaker.record(START, Verdict::Failure, false, &mut random);

        assert_eq!(breaker.state(START), BreakerState::Open);
        assert!((s(5)..=ms(7_500)).contains(&left(&breaker, START)));
    }

    #[test]
    fn half_of_ten_results_open_it_though_never_two_in_a_row() {
        let (mut breaker, mut random) = breaker();
        for second in 0..9 {
            let verdict = if second % 2 == 0 { Verdict::Success } else { Verdict::Failure };
            breaker.record(after(second), verdict, false, &mut random);
            assert_eq!(breaker.state(after(second)), BreakerState::Closed);
        }

        breaker.record(after(9), Verdict::Failure, false, &mut random);

        assert_eq!(breaker.state(after(9)), BreakerState::Open);
    }

    #[test]
    fn what_happened_before_the_window_is_forgotten() {
        let (mut breaker, mut random) = breaker();
        for _ in 0..4 {
            breaker.record(START, Verdict::Success, false, &mut random);
            breaker.record(START, Verdict::Failure, false, &mut random);
        }

        // Two more would open it; half a minute later they are the first of a new account.
        breaker.record(after(31), Verdict::Success, false, &mut random);
        breaker.record(after(31), Verdict::Failure, false, &mut random);

        assert_eq!(breaker.state(after(31)), BreakerState::Closed);
    }

    #[test]
    fn a_success_never_opens_it() {
        // Given four failures among nine results, by a breaker that opens at a third.
        let mut random = Random::new(7);
        let mut breaker = Breaker::new(BreakerSettings { ratio: 0.3, ..BreakerSettings::default() });
        for failed in [false, true, false, true, false, true, false, true, false] {
            let verdict = if failed { Verdict::Failure } else { Verdict::Success };
            breaker.record(START, verdict, false, &mut random);
        }

        breaker.record(START, Verdict::Success, false, &mut random);

        assert_eq!(breaker.state(START), BreakerState::Closed);
    }

    #[test]
    fn answers_that_tell_nothing_neither_count_nor_interrupt_a_run() {
        let (mut breaker, mut random) = breaker();
        for _ in 0..1_000 {
            breaker.record(START, Verdict::Neither, false, &mut random);
        }
        for _ in 0..5 {
            assert_eq!(breaker.state(START), BreakerState::Closed);
            breaker.record(START, Verdict::Neither, false, &mut random);
            breaker.record(START, Verdict::Failure, false, &mut random);
        }

        assert_eq!(breaker.state(START), BreakerState::Open);
    }

    #[test]
    fn when_its_time_is_over_one_probe_passes_and_the_others_wait_for_its_answer() {
        let (mut breaker, mut random) = opened();
        let over = START + left(&breaker, START);

        assert_eq!(breaker.peek(over), Admission::Probe);
        assert_eq!(breaker.state(over), BreakerState::HalfOpen);
        assert_eq!(breaker.admit(over), Admission::Probe);
        assert_eq!(breaker.admit(over), Admission::Refused { retry_after: s(5) });

        breaker.record(over + s(1), Verdict::Success, true, &mut random);
        assert_eq!(breaker.admit(over + s(1)), Admission::Pass);
    }

    #[test]
    fn any_answer_that_is_no_failure_closes_it_and_the_account_starts_afresh() {
        for verdict in [Verdict::Success, Verdict::Neither] {
            let (mut breaker, mut random) = opened();
            assert_eq!(breaker.admit(after(10)), Admission::Probe);
            breaker.record(after(10), verdict, true, &mut random);
            assert_eq!(breaker.state(after(10)), BreakerState::Closed);

            fail(&mut breaker, 4, after(11), &mut random);
            assert_eq!(breaker.state(after(11)), BreakerState::Closed);
            breaker.record(after(11), Verdict::Failure, false, &mut random);
            assert!((s(5)..=ms(7_500)).contains(&left(&breaker, after(11))));
        }
    }

    #[test]
    fn each_failed_probe_doubles_the_open_time_up_to_a_minute() {
        let (mut breaker, mut random) = opened();
        let mut now = START;
        for open in [5, 10, 20, 40, 60, 60] {
            let wait = left(&breaker, now);
            assert!((s(open)..=s(open) + s(open) / 2).contains(&wait), "{open}: {wait:?}");
            assert!(matches!(breaker.admit(now + (wait - ms(1))), Admission::Refused { .. }));

            now = now + wait;
            assert_eq!(breaker.admit(now), Admission::Probe);
            breaker.record(now, Verdict::Failure, true, &mut random);
        }
    }

    #[test]
    fn thirteen_thousand_breakers_that_opened_together_do_not_probe_together() {
        let mut random = Random::new(1);
        let mut probes = [0; 26];
        for _ in 0..13_000 {
            let (mut breaker, _) = breaker();
            fail(&mut breaker, 5, START, &mut random);
            probes[((left(&breaker, START) - s(5)).as_millis() / 100) as usize] += 1;
        }

        // Evenly over two and a half seconds: 520 in each tenth.
        assert!(probes.iter().all(|&probes| probes < 620), "{probes:?}");
    }

    #[test]
    fn an_aborted_probe_frees_its_place() {
        let (mut breaker, mut random) = opened();
        assert_eq!(breaker.admit(after(10)), Admission::Probe);

        breaker.abandon_probe();

        assert_eq!(breaker.state(after(10)), BreakerState::HalfOpen);
        assert_eq!(breaker.admit(after(10)), Admission::Probe);
        breaker.record(after(10), Verdict::Success, true, &mut random);
        assert_eq!(breaker.state(after(10)), BreakerState::Closed);
        breaker.abandon_probe();
        assert_eq!(breaker.admit(after(10)), Admission::Pass);
    }

    #[test]
    fn late_results_of_requests_sent_before_it_opened_change_nothing() {
        let (mut breaker, mut random) = opened();
        let wait = left(&breaker, START);
        for verdict in [Verdict::Success, Verdict::Failure, Verdict::Neither] {
            breaker.record(START, verdict, false, &mut random);
            assert_eq!(left(&breaker, START), wait);
        }

        assert_eq!(breaker.admit(START + wait), Admission::Probe);
        for verdict in [Verdict::Success, Verdict::Failure, Verdict::Neither] {
            breaker.record(START + wait, verdict, false, &mut random);
            assert_eq!(breaker.peek(START + wait), Admission::Refused { retry_after: s(5) });
        }
    }

    #[test]
    fn a_clock_set_back_an_hour_does_not_keep_it_open_for_an_hour() {
        let (mut breaker, _) = opened();

        assert_eq!(breaker.admit(Timestamp(START.0 - 3_600_000)), Admission::Probe);
    }

    #[test]
    fn results_from_before_the_clock_was_set_back_do_not_return_as_recent() {
        let (mut breaker, mut random) = breaker();
        for _ in 0..4 {
            breaker.record(after(3_600), Verdict::Success, false, &mut random);
            breaker.record(after(3_600), Verdict::Failure, false, &mut random);
        }

        breaker.record(START, Verdict::Success, false, &mut random);
        breaker.record(after(3_600), Verdict::Failure, false, &mut random);

        assert_eq!(breaker.state(after(3_600)), BreakerState::Closed);
    }

    /// The same rules, on a list of everything that ever happened.
    struct Model {
        settings: BreakerSettings,
        results: Vec<(u64, bool)>,
        openings: u32,
        /// The open time, and when it ends.
        open_until: Option<u64>,
        probe_out: bool,
    }

    impl Model {
        fn admit(&mut self, now: u64) -> Admission {
            let refused = |ms| Admission::Refused { retry_after: Duration::from_millis(ms) };
            match self.open_until {
                None => Admission::Pass,
                Some(until) if now < until => refused(until - now),
                Some(_) if self.probe_out => refused(self.settings.open.as_millis()),
                Some(_) => {
                    self.probe_out = true;
                    Admission::Probe
                }
            }
        }

        fn record(&mut self, now: u64, verdict: Verdict, probe: bool, random: &mut Random) {
            if probe {
                self.probe_out = false;
                if verdict == Verdict::Failure {
                    self.open(now, random);
                } else {
                    *self = Model { results: Vec::new(), openings: 0, open_until: None, probe_out: false, ..*self };
                }
            } else if self.open_until.is_none() && verdict != Verdict::Neither {
                let failed = verdict == Verdict::Failure;
                self.results.push((now, failed));
                let run = self.results.iter().rev().take_while(|(_, failed)| *failed).count();
                let tenth = self.settings.window.as_millis() / 10;
                let recent = |at: u64| now / tenth - at / tenth < 10;
                let total = self.results.iter().filter(|(at, _)| recent(*at)).count();
                let failures = self.results.iter().filter(|(at, failed)| recent(*at) && *failed).count();
                let share = failures as f64 / total as f64 >= self.settings.ratio;
                if failed
                    && (run >= self.settings.consecutive as usize || (total >= self.settings.minimum as usize && share))
                {
                    self.open(now, random);
                }
            }
        }

        fn open(&mut self, now: u64, random: &mut Random) {
            let doubled = self.settings.open.as_millis() * 2_u64.pow(self.openings.min(10));
            let open = doubled.min(self.settings.max_open.as_millis());
            self.openings += 1;
            self.open_until = Some(now + open + random.up_to(Duration::from_millis(open / 2)).as_millis());
        }
    }

    #[derive(Clone, Debug)]
    enum Step {
        Wait(u64),
        Send,
        Answer(usize, Verdict),
        Abort(usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        let verdict = prop_oneof![
            3 => Just(Verdict::Success),
            3 => Just(Verdict::Failure),
            1 => Just(Verdict::Neither),
        ];
        prop_oneof![
            3 => prop_oneof![3 => 0_u64..3_000, 1 => 0_u64..40_000].prop_map(Step::Wait),
            4 => Just(Step::Send),
            4 => (any::<usize>(), verdict).prop_map(|(which, verdict)| Step::Answer(which, verdict)),
            1 => any::<usize>().prop_map(Step::Abort),
        ]
    }

    proptest! {
        #[test]
        fn it_decides_as_one_who_remembers_everything_would(
            steps in prop::collection::vec(step(), 0..300),
            seed: u64, consecutive in 1_u32..8, minimum in 1_u32..20, ratio in 0.1..1.0,
        ) {
            let settings = BreakerSettings { consecutive, ratio, minimum, ..BreakerSettings::default() };
            let (mut breaker, mut dice) = (Breaker::new(settings), Random::new(seed));
            let mut model = Model { settings, results: Vec::new(), openings: 0, open_until: None, probe_out: false };
            let mut model_dice = Random::new(seed);
            let mut now = START;
            // Requests under way: whether each is the probe.
            let mut sent: Vec<bool> = Vec::new();

            for step in steps {
                match step {
                    Step::Wait(wait) => now = now + ms(wait),
                    Step::Send => {
                        let peeked = breaker.peek(now);
                        let admission = breaker.admit(now);
                        prop_assert_eq!(peeked, admission);
                        prop_assert_eq!(admission, model.admit(now.0));
                        match admission {
                            Admission::Pass => sent.push(false),
                            Admission::Probe => sent.push(true),
                            Admission::Refused { retry_after } => prop_assert!(!retry_after.is_zero()),
                        }
                    }
                    Step::Answer(which, verdict) if !sent.is_empty() => {
                        let probe = sent.swap_remove(which % sent.len());
                        breaker.record(now, verdict, probe, &mut dice);
                        model.record(now.0, verdict, probe, &mut model_dice);
                    }
                    Step::Abort(which) if !sent.is_empty() => {
                        let probe = sent.swap_remove(which % sent.len());
                        if probe {
                            breaker.abandon_probe();
                            model.probe_out = false;
                        }
                    }
                    _ => {}
                }
                let state = match model.open_until {
                    None => BreakerState::Closed,
                    Some(until) if now.0 < until => BreakerState::Open,
                    Some(_) => BreakerState::HalfOpen,
                };
                prop_assert_eq!(breaker.state(now), state);
            }
        }

        #[test]
        fn whatever_clock_and_settings_do_it_never_stays_shut(
            consecutive: u32, ratio in prop::num::f64::ANY, minimum: u32,
            window: Duration, open: Duration, max_open: Duration, seed: u64,
            steps in prop::collection::vec((any::<u64>(), 0_usize..3, any::<bool>()), 0..60),
        ) {
            let settings = BreakerSettings { consecutive, ratio, minimum, window, open, max_open };
            let (mut breaker, mut random) = (Breaker::new(settings), Random::new(seed));
            for (moment, verdict, probe) in steps {
                let now = Timestamp(moment);
                let verdict = [Verdict::Success, Verdict::Failure, Verdict::Neither][verdict];
                breaker.admit(now);
                breaker.record(now, verdict, probe, &mut random);
                breaker.abandon_probe();
                if breaker.state(now) == BreakerState::Open {
                    prop_assert!(left(&breaker, now) <= max_open.saturating_add(max_open / 2));
                }
            }
        }
    }
}
