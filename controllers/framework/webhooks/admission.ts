// What an admission webhook of one's own is asked, and what it answers: the typed form of admission.k8s.io/v1.
// Invariant: what is asked is frozen; an answer is a value that allow() or deny() made, or (to change it) the object itself.
import type { KubeObject, LooseObject } from '../../../api/meta/object.ts';
import {
  type Status,
  type StatusCause,
  StatusError,
  type StatusReason,
} from '../../../api/status.ts';
import type { UserInfo } from '../../../api/wire/exchange.ts';
import type { Logger } from '../../../base/logger.ts';
import type { InformerFactory } from '../../../client/informer/informer.ts';
import type { Client } from '../../../client/rest/client.ts';

/** What may be done to an object, as admission has it. */
export type Operation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';

/** The objects of each operation. */
interface Subjects<T> {
  readonly CREATE: { readonly object: T; readonly oldObject: undefined };
  readonly UPDATE: { readonly object: T; readonly oldObject: T };
  readonly DELETE: { readonly object: undefined; readonly oldObject: T };
  /** The object is the options of the connection (PodExecOptions, …). */
  readonly CONNECT: { readonly object: LooseObject; readonly oldObject: undefined };
}

/** What every request tells besides its objects. */
export interface Asked {
  /** Of this question; unlike any other. */
  readonly uid: string;
  /** Empty while the server has yet to make it from `generateName`. */
  readonly name: string;
  /** Empty for kinds that have none. */
  readonly namespace: string;
  readonly subresource: string | undefined;
  /** Who asks. */
  readonly user: UserInfo;
  /** Nothing is stored: whatever this webhook does elsewhere is not to be done. */
  readonly dryRun: boolean;
  /** CreateOptions, UpdateOptions, … as the caller gave them. */
  readonly options: Readonly<Record<string, unknown>> | undefined;
  /** Aborted when the answer would come too late, when the caller has gone, and when the server is stopped. */
  readonly signal: AbortSignal;
  /** Names the webhook and the question in each line. */
  readonly logger: Logger;
}

/** What a webhook may look things up with. */
export interface AdmissionTools {
  readonly client: Client;
  /** Caches of the webhook server: one that is asked for is filled at first use (`await informer.synced(signal)`) and kept. */
  readonly informers: Pick<InformerFactory, 'informer'>;
}

/** One question. Which objects there are follows from the operation; all of it is frozen. */
export type AdmissionRequest<
  T extends KubeObject = KubeObject,
  O extends Operation = Operation,
> = O extends Operation ? Asked & { readonly operation: O } & Subjects<T>[O] : never;

/** What may go with an answer. */
export interface AnswerNotes {
  /** Shown to the caller, one line each. */
  readonly warnings?: readonly string[];
  /** Goes to the server's audit; keys as those of annotations, without a prefix. */
  readonly auditAnnotations?: Readonly<Record<string, string>>;
}

/** Yes, as allow() makes it. */
export class Allowed<T> {
  readonly allowed = true;
  /** What the object is to become; undefined leaves it. */
  readonly object: T | undefined;
  readonly notes: AnswerNotes;

  constructor(object: T | undefined, notes: AnswerNotes) {
    this.object = object;
    this.notes = notes;
  }
}

/** No, as deny() makes it. */
export class Denied {
  readonly allowed = false;
  readonly status: Status;
  readonly notes: AnswerNotes;

  constructor(status: Status, notes: AnswerNotes) {
    this.status = status;
    this.notes = notes;
  }
}

/** Lets the request pass; for a mutating webhook with the object as it is to be, where it is to change. */
export function allow<T extends KubeObject = never>(
  notes: AnswerNotes & { readonly object?: T } = {},
): Allowed<T> {
  const { object, ...rest } = notes;
  return new Allowed(object, rest);
}

/** How a refusal looks to the caller. */
export interface DenyOptions extends AnswerNotes {
  /** `Forbidden` unless given (or, where only a code is, that of the code). */
  readonly reason?: StatusReason;
  /** 400 to 599; that of the reason unless given. */
  readonly code?: number;
  /** What is wrong, field by field. */
  readonly causes?: readonly StatusCause[];
}

const FIRST_CODE = 400;
const LAST_CODE = 599;

/** Refuses the request. `message` tells the caller why, and what to do. Throws RangeError for a code that refuses nothing. */
export function deny(message: string, options: DenyOptions = {}): Denied {
  const { reason, code, causes, ...notes } = options;
  if (code !== undefined && !(Number.isInteger(code) && code >= FIRST_CODE && code <= LAST_CODE))
    throw new RangeError(
      `deny: the code ${code} does not refuse anything; give one of ${FIRST_CODE} to ${LAST_CODE}`,
    );
  const ofCode = code === undefined ? undefined : StatusError.fromStatus({ code }).reason;
  const error = new StatusError(reason ?? ofCode ?? 'Forbidden', message, {
    ...(code !== undefined && { code }),
    ...(causes && { details: { causes: causes.map((cause) => ({ ...cause })) } }),
  });
  return new Denied(error.toStatus(), notes);
}
