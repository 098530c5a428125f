// What holds for the life of every pod, whatever its scenario: checked over all moments that were recorded of it.
// Sources: the API reference of PodStatus and "Pod Lifecycle" of the public documentation.
import type { ContainerStatus, Pod, PodCondition } from '../../../api/generated/types.ts';
import type { Moment } from './recorder.ts';

/** What was broken, each with the moment at which it was seen; empty for a sound life. */
export function brokenInvariants(history: readonly Moment[]): string[] {
  const broken: string[] = [];
  history.forEach(({ pod }, at) => {
    const say = (what: string) => broken.push(`moment ${at}: ${what}`);
    checkMoment(pod, say);
    const before = history[at - 1];
    // A pod of the same name may be made anew.
    if (before && before.pod.metadata.uid === pod.metadata.uid) checkStep(before.pod, pod, say);
  });
  return broken;
}

type Say = (what: string) => void;

/** containerd notes a start once it was told of it, which on a busy host is after a quick end. */
const LATE_MS = 5_000;

function checkMoment(pod: Pod, say: Say): void {
  const { status = {}, metadata, spec } = pod;
  for (const each of allStatuses(pod)) checkContainer(each, say);
  for (const each of [...(status.containerStatuses ?? []), ...sidecarStatuses(pod)])
    if (each.ready && !each.state?.running) say(`${each.name} is ready and does not run`);
  for (const each of status.ephemeralContainerStatuses ?? [])
    if (each.ready) say(`the ephemeral container ${each.name} is ready`);
  const holds = (type: string) =>
    status.conditions?.find((each) => each.type === type)?.status === 'True';
  if (holds('Ready') && !holds('ContainersReady')) say('Ready without ContainersReady');
  if (holds('ContainersReady') && status.containerStatuses?.some((each) => !each.ready))
    say('ContainersReady though a container is not');
  if (holds('ContainersReady') && status.phase !== 'Running')
    say(`ContainersReady in phase ${status.phase}`);
  if (status.observedGeneration !== undefined && metadata.generation !== undefined)
    if (status.observedGeneration > metadata.generation)
      say('observedGeneration is ahead of the generation');
  const known = new Set(status.conditions?.map(({ type }) => type));
  if (known.size !== (status.conditions?.length ?? 0)) say('a condition is there twice');
  if (status.containerStatuses && status.containerStatuses.length > (spec?.containers.length ?? 0))
    say('there are more container statuses than containers');
}

function checkContainer({ name, state = {}, lastState, containerID }: ContainerStatus, say: Say) {
  const states = Object.keys(state).filter((key) => state[key as keyof typeof state]);
  if (states.length > 1) say(`${name} is ${states.join(' and ')}`);
  if (containerID !== undefined && !/^[a-z][a-z0-9-]*:\/\/\S+$/.test(containerID))
    say(`${name} has the container id ${containerID}`);
  if (lastState?.running || lastState?.waiting) say(`the last state of ${name} is no end`);
  const { terminated } = state;
  if (terminated?.startedAt && terminated.finishedAt)
    if (Date.parse(terminated.finishedAt) < Date.parse(terminated.startedAt) - LATE_MS)
      say(`${name} ended before it began`);
}

function checkStep(before: Pod, after: Pod, say: Say): void {
  const [was, is] = [before.status ?? {}, after.status ?? {}];
  if ((was.phase === 'Succeeded' || was.phase === 'Failed') && is.phase !== was.phase)
    say(`phase went from ${was.phase} to ${is.phase}`);
  if (was.startTime !== undefined && is.startTime !== was.startTime)
    say(`startTime went from ${was.startTime} to ${is.startTime}`);
  if (was.qosClass !== undefined && is.qosClass !== was.qosClass)
    say(`qosClass went from ${was.qosClass} to ${is.qosClass}`);
  if ((is.observedGeneration ?? 0) < (was.observedGeneration ?? 0))
    say('observedGeneration went back');
  // Between two writes a status may have gone there and back.
  const still = was.phase === is.phase && sameContainers(before, after);
  for (const each of was.conditions ?? []) checkCondition(each, { is: is.conditions, still }, say);
  const leaves = before.metadata.deletionTimestamp !== undefined;
  for (const each of allStatuses(before)) {
    const later = allStatuses(after).find(({ name }) => name === each.name);
    if (!later) say(`the status of ${each.name} is gone`);
    else checkRestarts(each, { later, leaves }, say);
  }
}

function checkRestarts(
  was: ContainerStatus,
  { later, leaves }: { later: ContainerStatus; leaves: boolean },
  say: Say,
): void {
  const { name } = was;
  if (later.restartCount < was.restartCount) say(`restartCount of ${name} went back`);
  if (was.containerID !== undefined && later.containerID === undefined)
    say(`${name} has no container id any more`);
  const startsAnew = later.state?.running && !was.state?.running;
  if (leaves && startsAnew) say(`${name} was started though its pod is being deleted`);
  if (was.state?.running && later.state?.running)
    if (was.containerID !== later.containerID && later.restartCount === was.restartCount)
      say(`${name} is another container, and its restartCount the same`);
}

function checkCondition(
  was: PodCondition,
  { is: conditions, still }: { is: readonly PodCondition[] | undefined; still: boolean },
  say: Say,
): void {
  const is = conditions?.find(({ type }) => type === was.type);
  if (!is) return;
  const moved = is.lastTransitionTime !== was.lastTransitionTime;
  if (moved && still && is.status === was.status)
    say(`the transition time of ${was.type} moved without its status`);
  if (Date.parse(is.lastTransitionTime ?? '') < Date.parse(was.lastTransitionTime ?? ''))
    say(`the transition time of ${was.type} went back`);
}

function sameContainers(before: Pod, after: Pod): boolean {
  const idsOf = (pod: Pod) =>
    allStatuses(pod).map(({ containerID, state }) => [containerID, Object.keys(state ?? {})]);
  return JSON.stringify(idsOf(before)) === JSON.stringify(idsOf(after));
}

function allStatuses({ status = {} }: Pod): ContainerStatus[] {
  const { initContainerStatuses = [], containerStatuses = [] } = status;
  return [
    ...initContainerStatuses,
    ...containerStatuses,
    ...(status.ephemeralContainerStatuses ?? []),
  ];
}

function sidecarStatuses({ spec, status }: Pod): ContainerStatus[] {
  const sidecars = spec?.initContainers?.filter((each) => each.restartPolicy === 'Always') ?? [];
  const names = new Set(sidecars.map(({ name }) => name));
  return (status?.initContainerStatuses ?? []).filter(({ name }) => names.has(name));
}
