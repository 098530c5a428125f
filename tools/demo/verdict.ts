// Did the story happen? Each line of the bar as a check on what was measured. Pure.

/** What the story measured. Times are milliseconds; undefined where the thing was never seen. */
export interface Measured {
  readonly paymentPeakReplicas: number;
  readonly paymentStartReplicas: number;
  readonly paymentEndReplicas: number;
  readonly cpuPeakMillis: number;
  /** Share of the mean that the least loaded Ready payment pod served at the peak. */
  readonly smallestShare: number;
  readonly stepToReadyMs: number | undefined;
  readonly killedToRunningMs: number | undefined;
  readonly deletedToReplacedMs: number | undefined;
  readonly catalogReplicaCounts: readonly number[];
  /** Of what a bare server beside the cluster answered, the smallest share that the catalog did over a stretch. */
  readonly catalogSmallestShare: number;
  readonly catalogSlowestRate: number;
  /** Over the whole story, a second. */
  readonly catalogMeanRate: number;
  readonly catalogFailed: number;
  readonly paymentPeakRate: number;
  /** Of one replica, while the sale had no other; 0 where that was not seen. */
  readonly paymentRateOfOne: number;
  readonly paymentAnswered: number;
  readonly paymentFailed: number;
  /** Of the failed: those that were lost with the container that the story kills, until it served again. */
  readonly paymentLostWithKill: number;
  /** What was left on the host after the end; undefined when the cluster was kept. */
  readonly leftovers: readonly string[] | undefined;
}

/** One line of the summary. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly measured: string;
  readonly bar: string;
}

/** Past these the demo fails; the goals are printed beside the measured times. */
export const STEP_CEILING_MS = 60_000;
export const HEAL_CEILING_MS = 60_000;
/** A pod that served less than this share of the mean did not serve its share. */
const FAIR_SHARE = 0.5;
/** A neighbour of a loaded service answers at least this share of what a server outside the cluster does. */
const NEIGHBOUR_SHARE = 0.5;
/** And so many a second on average, lest both be kept from answering by what the cluster itself does. */
const NEIGHBOUR_RATE = 20;
/** Payments a second at the peak, on a host of two cores. */
const PEAK_RATE = 100;
/** On a host too slow for them: so many times as many as of one replica, and never less than so many. */
const PEAK_GAIN = 2;
const LEAST_PEAK_RATE = 50;
const MAX_FAILED_SHARE = 0.001;
/** With those that met the killed container before the whole cluster knew of it: few, if it is soon left out. */
const MAX_FAILED_WITH_KILL = 0.01;

const within = (ms: number | undefined, ceiling: number): boolean =>
  ms !== undefined && ms <= ceiling;
const percent = (share: number): string => `${Math.round(share * 100)} %`;
const seconds = (ms: number | undefined): string =>
  ms === undefined ? 'never' : `${(ms / 1000).toFixed(2)} s`;

/** The lines of the bar, each with what was measured. */
export function judge(m: Measured): Check[] {
  return [...scaling(m), ...healing(m), ...serving(m), ...leaving(m)];
}

function scaling(m: Measured): Check[] {
  return [
    {
      name: 'payment scales out by measured CPU',
      ok: m.paymentStartReplicas === 1 && m.paymentPeakReplicas >= 4 && m.cpuPeakMillis > 0,
      measured: `${m.paymentStartReplicas} to ${m.paymentPeakReplicas} replicas, ${m.cpuPeakMillis}m CPU`,
      bar: '1 to at least 4',
    },
    {
      name: 'payment scales in again',
      ok: m.paymentEndReplicas === 1,
      measured: `${m.paymentEndReplicas} replica(s)`,
      bar: 'back to 1',
    },
    {
      name: 'every ready payment pod serves its share',
      ok: m.smallestShare >= FAIR_SHARE,
      measured: `the least loaded served ${percent(m.smallestShare)} of the mean`,
      bar: `at least ${percent(FAIR_SHARE)}`,
    },
    {
      name: 'load step to first new pod Ready',
      ok: within(m.stepToReadyMs, STEP_CEILING_MS),
      measured: seconds(m.stepToReadyMs),
      bar: `goal 3 s, fails past ${STEP_CEILING_MS / 1000} s`,
    },
  ];
}

function healing(m: Measured): Check[] {
  return [
    {
      name: 'killed container to running again',
      ok: within(m.killedToRunningMs, HEAL_CEILING_MS),
      measured: seconds(m.killedToRunningMs),
      bar: `goal 2 s, fails past ${HEAL_CEILING_MS / 1000} s`,
    },
    {
      name: 'deleted pod replaced by a Ready one',
      ok: within(m.deletedToReplacedMs, STEP_CEILING_MS),
      measured: seconds(m.deletedToReplacedMs),
      bar: `fails past ${STEP_CEILING_MS / 1000} s`,
    },
  ];
}

function serving(m: Measured): Check[] {
  const gained = Math.max(LEAST_PEAK_RATE, PEAK_GAIN * (m.paymentRateOfOne || PEAK_RATE));
  const requests = m.paymentFailed + m.paymentAnswered;
  const lost = m.paymentLostWithKill;
  const shareOf = (failed: number) => failed / Math.max(1, requests);
  const others = shareOf(m.paymentFailed - lost);
  return [
    {
      name: 'catalog keeps its replicas',
      ok: m.catalogReplicaCounts.length === 1,
      measured: `${m.catalogReplicaCounts.join(', ')} replicas`,
      bar: 'one constant number',
    },
    {
      name: 'catalog answers all the time',
      ok: m.catalogSmallestShare >= NEIGHBOUR_SHARE && m.catalogMeanRate >= NEIGHBOUR_RATE,
      measured: `at worst ${percent(m.catalogSmallestShare)} of a bare server's answers; ${m.catalogMeanRate.toFixed(0)} a second, ${m.catalogSlowestRate.toFixed(0)} in its slowest 3 s`,
      bar: `at least ${percent(NEIGHBOUR_SHARE)}, and ${NEIGHBOUR_RATE} a second`,
    },
    {
      name: 'no catalog request fails',
      ok: m.catalogFailed === 0,
      measured: `${m.catalogFailed} failed`,
      bar: '0',
    },
    {
      name: 'payment at the peak',
      ok: m.paymentPeakRate >= Math.min(PEAK_RATE, gained),
      measured: `${m.paymentPeakRate.toFixed(0)} a second over 3 s, ${m.paymentRateOfOne.toFixed(0)} by one replica`,
      bar: `at least ${PEAK_RATE} a second, or ${PEAK_GAIN} times what one replica answers and ${LEAST_PEAK_RATE}`,
    },
    {
      name: 'payment failures',
      ok: others < MAX_FAILED_SHARE && shareOf(m.paymentFailed) < MAX_FAILED_WITH_KILL,
      measured: `${m.paymentFailed} of ${requests}, ${lost} of them while a container was dead (others ${(others * 100).toFixed(3)} %)`,
      bar: 'others fewer than 0.1 %, all fewer than 1 %',
    },
  ];
}

function leaving(m: Measured): Check[] {
  if (!m.leftovers) return [];
  return [
    {
      name: 'nothing left behind',
      ok: m.leftovers.length === 0,
      measured: m.leftovers.length === 0 ? 'nothing' : m.leftovers.join(', '),
      bar: 'no process, mount, namespace, link, table or cgroup',
    },
  ];
}
