// Which transition of the reflector a failure is.
// Invariant: every failure has one, by its reason or code and never by its text.
import { isExpired, StatusError } from '../../api/status.ts';
import type { StatusReason } from '../../api/status.ts';
import { ConnectionError } from '../transport/connection-error.ts';
import type { ReflectorInput, ReflectorState, Setback } from './reflector-machine.ts';

/** Answers to a watch after which the whole collection is read again, since the revision itself may be at fault. */
const REASONS_FOR_GAP: ReadonlySet<StatusReason> = new Set([
  'BadRequest',
  'Invalid',
  'Timeout',
  'InternalError',
]);

const BY_REASON: Readonly<Partial<Record<StatusReason, Setback>>> = {
  Unauthorized: 'unauthorized',
  Forbidden: 'forbidden',
  NotFound: 'notServed',
  TooManyRequests: 'throttled',
};

/** What befalls a reflector in this state by this failure. */
export function inputOf(error: unknown, state: ReflectorState): ReflectorInput {
  if (error instanceof ConnectionError) return { kind: error.failure };
  if (isExpired(error)) return { kind: 'gap' };
  if (!(error instanceof StatusError)) return { kind: 'failed' };
  if (state.kind === 'syncing' && state.mode === 'stream' && isRefusal(error))
    return { kind: 'streamRefused' };
  const seconds = error.details?.retryAfterSeconds;
  const retryAfterMs = seconds === undefined ? undefined : seconds * 1000;
  return { kind: setbackOf(error, state), retryAfterMs };
}

const isRefusal = ({ reason }: StatusError): boolean =>
  reason === 'Invalid' || reason === 'BadRequest';

function setbackOf({ reason }: StatusError, state: ReflectorState): Setback {
  const named = BY_REASON[reason];
  if (named) return named;
  return state.kind === 'watching' && REASONS_FOR_GAP.has(reason) ? 'gap' : 'failed';
}
