// Rules of when a container is restarted and by which signal it is stopped. Pure; wordings are those API clients know.
// Invariant: what passes here is what a node can act on, so that no rule is left out in silence.
import { gather } from '../../base/gather.ts';
import {
  type FieldError,
  forbiddenField,
  invalidValue,
  required,
  tooMany,
} from '../field-error.ts';
import type { Container, ContainerRestartRule, PodSpec } from '../generated/types.ts';
import { oneOf, requiredOneOf } from '../meta/numbers.ts';

const POLICIES = ['Always', 'Never', 'OnFailure'];
/** Rules that a container may have, and codes that a rule may name. */
const MAX_RULES = 20;
const MAX_EXIT_CODES = 255;

/** Rules of `restartPolicy` and `restartPolicyRules` of a container, init containers included. */
export function validateRestart(container: Container, path: string): FieldError[] {
  const { restartPolicy, restartPolicyRules: rules = [] } = container;
  const at = `${path}.restartPolicyRules`;
  return [
    ...oneOf(restartPolicy, POLICIES, `${path}.restartPolicy`),
    ...(rules.length > 0 && restartPolicy === undefined
      ? [
          required(
            `${path}.restartPolicy`,
            'must specify restartPolicy when restart rules are used',
          ),
        ]
      : []),
    ...(rules.length > MAX_RULES ? [tooMany(at, rules.length, MAX_RULES)] : []),
    ...gather(rules.slice(0, MAX_RULES), (rule, i) => validateRule(rule, `${at}[${i}]`)),
  ];
}

function validateRule({ action, exitCodes }: ContainerRestartRule, path: string): FieldError[] {
  const actions = requiredOneOf(action, ['Restart', 'RestartAllContainers'], `${path}.action`);
  const at = `${path}.exitCodes`;
  if (!exitCodes) return [...actions, required(at, 'must be specified')];
  const count = exitCodes.values?.length ?? 0;
  return [
    ...actions,
    ...requiredOneOf(exitCodes.operator, ['In', 'NotIn'], `${at}.operator`),
    ...(count > MAX_EXIT_CODES ? [tooMany(`${at}.values`, count, MAX_EXIT_CODES)] : []),
  ];
}

const SIGNALS: readonly string[] = [
  ...'ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT'.split(
    ' ',
  ),
  ...'STOP SYS TERM TRAP TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ RTMIN RTMAX'.split(
    ' ',
  ),
  ...Array.from({ length: 15 }, (_, i) => `RTMIN+${i + 1}`),
  ...Array.from({ length: 14 }, (_, i) => `RTMAX-${i + 1}`),
].map((name) => `SIG${name}`);

/** What of a pod its containers' ends depend on. */
type Ends = Pick<PodSpec, 'os' | 'terminationGracePeriodSeconds'>;

/** Rules of how a container is stopped: hooks that sleep keep to the pod's grace, signals are those of its operating system. */
export function validateStop(container: Container, spec: Ends, path: string): FieldError[] {
  const grace = spec.terminationGracePeriodSeconds ?? 30;
  const sleeps = gather(['postStart', 'preStop'] as const, (hook) => {
    const seconds = container.lifecycle?.[hook]?.sleep?.seconds ?? 0;
    if (seconds >= 0 && seconds <= grace) return [];
    const why = `must be non-negative and less than terminationGracePeriodSeconds (${grace})`;
    return [invalidValue(`${path}.lifecycle.${hook}.sleep`, seconds, why)];
  });
  return [...sleeps, ...validateStopSignal(container, spec, path)];
}

function validateStopSignal({ lifecycle }: Container, { os }: Ends, path: string): FieldError[] {
  const signal = lifecycle?.stopSignal;
  if (signal === undefined) return [];
  const at = `${path}.lifecycle.stopSignal`;
  if (!os?.name)
    return [forbiddenField(at, 'may not be set for containers with empty `spec.os.name`')];
  return oneOf(signal, os.name === 'windows' ? ['SIGKILL', 'SIGTERM'] : SIGNALS, at);
}
