// What is to be done for a cache next, from what is there: the whole of the operator's judgement.
// Invariant: pure. One step at a time; a member that is ready is taken down only where all others that are wanted are ready,
// or where it is wanted no more.
import { formatTime } from 'pinnace/client';
import { withCondition } from 'pinnace/controllers';
import type { ReplicatedCache } from './kind.ts';
import { type Claim, type Member, memberName, revisionOf, selectorOf } from './members.ts';

type Status = NonNullable<ReplicatedCache['status']>;

/** What is known. */
export interface Situation {
  readonly cache: ReplicatedCache;
  readonly members: readonly Member[];
  readonly claims: readonly Claim[];
  readonly nowMs: number;
}

/** The next step. */
export type Step =
  | { readonly kind: 'start'; readonly number: number }
  | { readonly kind: 'remove'; readonly member: Member; readonly why: string }
  | { readonly kind: 'wait'; readonly why: string }
  | { readonly kind: 'none' };

/** What is to be done: the claims first, then the step. */
export interface Plan {
  readonly step: Step;
  /** Members that are there without a claim. */
  readonly makeClaims: readonly number[];
  /** Claims that nobody uses any more. */
  readonly dropClaims: readonly Claim[];
  readonly status: Status;
}

/** Decides. */
export function plan(situation: Situation): Plan {
  const { cache, claims, members } = situation;
  const step = nextStep(situation);
  const claimed = new Set(claims.map(({ number }) => number));
  const { replicas, storage } = cache.spec;
  const isUsed = (number: number) =>
    number < replicas || members.some((member) => member.number === number);
  return {
    step,
    makeClaims: members.map(({ number }) => number).filter((number) => !claimed.has(number)),
    dropClaims:
      storage.whenUnused === 'Keep'
        ? []
        : claims.filter(({ ending, number }) => !ending && !isUsed(number)),
    status: statusOf(situation, step),
  };
}

/** The step that stops members: the highest one goes, once none of them is going. */
export function stopStep(members: readonly Member[]): Step {
  const [highest] = members.toSorted((a, b) => b.number - a.number);
  const ending = members.find((member) => member.ending);
  if (!highest) return NONE;
  if (ending) return waitFor(`${ending.pod.metadata.name} to end`);
  return { kind: 'remove', member: highest, why: 'it is wanted no more' };
}

const NONE: Step = { kind: 'none' };
const waitFor = (what: string): Step => ({ kind: 'wait', why: `waits for ${what}` });

function nextStep(situation: Situation): Step {
  const { cache, members } = situation;
  const { replicas } = cache.spec;
  const revision = revisionOf(cache);
  const wanted = members.filter(({ number }) => number < replicas);
  const steps = [
    mended(wanted, revision),
    started(situation),
    stopStep(members.filter(({ number }) => number >= replicas)),
  ].filter((step) => step.kind !== 'none');
  return steps.find(({ kind }) => kind !== 'wait') ?? steps[0] ?? updated(wanted, revision);
}

/** Members that will not come to anything any more make room for new ones: they are not ready, so that nothing is lost. */
function mended(wanted: readonly Member[], revision: string): Step {
  for (const member of wanted) {
    if (member.ending) continue;
    if (member.over) return { kind: 'remove', member, why: 'it has ended' };
    if (!member.ready && member.revision !== revision)
      return { kind: 'remove', member, why: 'it is not ready, and of an older revision' };
  }
  return NONE;
}

/** Members start one after the other: each once all before it are ready. */
function started({ cache, claims, members }: Situation): Step {
  const byNumber = new Map(members.map((member) => [member.number, member]));
  for (let number = 0; number < cache.spec.replicas; number++) {
    const member = byNumber.get(number);
    const name = memberName(cache, number);
    if (member?.ending) return waitFor(`${name} to end`);
    if (member && !member.ready) return waitFor(`${name} to be ready`);
    if (member) continue;
    // A member made on it would wait for ever for a claim that is gone.
    if (claims.some((claim) => claim.number === number && claim.ending))
      return waitFor(`the old volume claim of ${name} to be gone`);
    return { kind: 'start', number };
  }
  return NONE;
}

/** All are ready: the highest one of an older revision goes, and starts anew. */
function updated(wanted: readonly Member[], revision: string): Step {
  const [highest] = wanted
    .filter((member) => member.revision !== revision)
    .toSorted((a, b) => b.number - a.number);
  if (!highest) return NONE;
  return { kind: 'remove', member: highest, why: 'it is of an older revision' };
}

function statusOf({ cache, members, nowMs }: Situation, step: Step): Status {
  const revision = revisionOf(cache);
  const { generation } = cache.metadata;
  const observed = generation === undefined ? {} : { observedGeneration: generation };
  const there = members.filter(({ ending }) => !ending);
  const ready = there.filter((member) => member.ready);
  const { replicas } = cache.spec;
  const isReady = ready.filter(({ number }) => number < replicas).length === replicas;
  const now = formatTime(nowMs);
  const readiness = {
    type: 'Ready',
    status: isReady ? 'True' : 'False',
    reason: isReady ? 'AllMembersReady' : 'MembersMissing',
    message: `${ready.length} of ${replicas} members are ready`,
    ...observed,
  } as const;
  const progress = {
    type: 'Progressing',
    status: step.kind === 'none' ? 'False' : 'True',
    reason: REASONS[step.kind],
    message: tellStep(cache, step),
    ...observed,
  } as const;
  return {
    ...observed,
    replicas: members.length,
    readyReplicas: ready.length,
    updatedReplicas: there.filter((member) => member.revision === revision).length,
    revision,
    selector: selectorOf(cache),
    conditions: withCondition(
      withCondition(cache.status?.conditions, readiness, now),
      progress,
      now,
    ),
  };
}

const REASONS = { start: 'Starting', remove: 'Removing', wait: 'Waiting', none: 'Done' } as const;

/** The step in words. */
export function tellStep(cache: ReplicatedCache, step: Step): string {
  switch (step.kind) {
    case 'start':
      return `starts ${memberName(cache, step.number)}`;
    case 'remove':
      return `removes ${step.member.pod.metadata.name}: ${step.why}`;
    case 'wait':
      return step.why;
    case 'none':
      return '';
  }
}
