// Admission webhooks as values: what they are about, what the API server is to be told of them, and what they decide.
// Invariant: a value; nothing runs and nobody is told before it is served. Mistakes in it are thrown where it is made.
import type { KindRef } from '../../../api/kind-ref.ts';
import type { KubeObject, LooseObject } from '../../../api/meta/object.ts';
import type { LabelSelector, MatchCondition } from '../../../api/generated/types.ts';
import type { AdmissionRequest, AdmissionTools, Allowed, Denied, Operation } from './admission.ts';

/** What the API server is told of a webhook besides its rules; see admissionregistration.k8s.io/v1. */
export interface WebhookSettings {
  /**
   * Its name, which callers see when it refuses: a DNS name of three labels at least. `validate.<plural>.<group>` (or `mutate.…`)
   * unless given, with `core` for the group without a name; where two would be called alike, one has to be named.
   */
  readonly name?: string;
  /** What happens while the webhook cannot be asked; `Fail` unless given. */
  readonly failurePolicy?: 'Fail' | 'Ignore';
  /** Ask also about other versions of the kind, in this one; `Equivalent` unless given. */
  readonly matchPolicy?: 'Exact' | 'Equivalent';
  readonly namespaceSelector?: LabelSelector;
  readonly objectSelector?: LabelSelector;
  /** CEL expressions that all have to hold. */
  readonly matchConditions?: readonly MatchCondition[];
  /** Whether asking does anything elsewhere; `None` unless given. With `NoneOnDryRun`, heed `request.dryRun`. */
  readonly sideEffects?: 'None' | 'NoneOnDryRun';
  /** 1 to 30; 10 unless given. */
  readonly timeoutSeconds?: number;
}

/** Subresources whose objects are those of the kind itself. */
type WholeObject = '' | 'status' | 'resize' | 'ephemeralcontainers';

/** What is asked about: the kind's object, or what is sent to the subresource. */
type Subject<T extends KubeObject, S extends string> = S extends WholeObject ? T : LooseObject;

type MaybePromise<T> = T | Promise<T>;

/** A validating webhook in the making. */
export interface ValidatingOptions<T extends KubeObject, O extends Operation, S extends string>
  extends WebhookSettings {
  /** CREATE and UPDATE unless given. */
  readonly operations?: readonly O[];
  /** Asked about this subresource instead of the object. */
  readonly subresource?: S;
  /** Decides. To throw is no answer: the failure policy decides then. */
  admit(
    request: AdmissionRequest<Subject<T, S>, O>,
    tools: AdmissionTools,
  ): MaybePromise<Allowed<never> | Denied>;
}

/** What a mutating webhook may answer: the object as it is to be, a verdict, or nothing for "as it is". */
export type Mutation<T> = T | Allowed<T> | Denied | void;

/** Operations whose objects can be changed. */
type Changing = Exclude<Operation, 'DELETE'>;

/** A mutating webhook in the making. */
export interface MutatingOptions<T extends KubeObject, O extends Changing, S extends string>
  extends WebhookSettings {
  /** CREATE and UPDATE unless given. */
  readonly operations?: readonly O[];
  /** Asked about this subresource instead of the object. */
  readonly subresource?: S;
  /** Ask again where another webhook changed the object afterwards; `Never` unless given. */
  readonly reinvocationPolicy?: 'Never' | 'IfNeeded';
  /** Answers the changed object (the one given is frozen). Asked again about what it answered, it should change nothing more. */
  admit(
    request: AdmissionRequest<Subject<T, S>, O>,
    tools: AdmissionTools,
  ): MaybePromise<Mutation<Subject<T, S>>>;
}

/** An admission webhook, whatever its kind: what `serveWebhooks` and `webhookConfigurations` take. */
export interface AdmissionWebhook
  extends Required<Pick<WebhookSettings, 'name' | 'timeoutSeconds'>> {
  readonly sort: 'validating' | 'mutating';
  /** Where it is served: `/` and its name. */
  readonly path: string;
  readonly ref: KindRef;
  readonly operations: readonly Operation[];
  /** Empty for the object itself. */
  readonly subresource: string;
  readonly settings: WebhookSettings &
    Pick<MutatingOptions<KubeObject, never, ''>, 'reinvocationPolicy'>;
  admit(request: AdmissionRequest, tools: AdmissionTools): MaybePromise<unknown>;
}

/** The operations of a webhook that names none. */
type Usual = 'CREATE' | 'UPDATE';

/** A webhook that lets requests pass or refuses them. Throws TypeError for settings that API servers would refuse. */
export function validating<
  T extends KubeObject,
  O extends Operation = Usual,
  S extends string = '',
>(ref: KindRef<T>, options: ValidatingOptions<T, O, S>): AdmissionWebhook {
  return webhookOf('validating', ref, options as unknown as AnyOptions);
}

/** A webhook that changes objects before they are checked and stored. Throws TypeError as `validating` does. */
export function mutating<T extends KubeObject, O extends Changing = Usual, S extends string = ''>(
  ref: KindRef<T>,
  options: MutatingOptions<T, O, S>,
): AdmissionWebhook {
  return webhookOf('mutating', ref, options as unknown as AnyOptions);
}

/** Either sort, with its types erased. */
type AnyOptions = AdmissionWebhook['settings'] & {
  readonly operations?: readonly Operation[];
  readonly subresource?: string;
  readonly admit: (request: AdmissionRequest, tools: AdmissionTools) => MaybePromise<unknown>;
};

/** How long a webhook has unless it says so. */
const TIMEOUT_SECONDS = 10;
/** The longest that API servers give one. */
const MAX_TIMEOUT_SECONDS = 30;

function webhookOf(
  sort: AdmissionWebhook['sort'],
  ref: KindRef,
  options: AnyOptions,
): AdmissionWebhook {
  const { operations = ['CREATE', 'UPDATE'], subresource = '', admit, ...settings } = options;
  const { name = nameOf(sort, ref, subresource), timeoutSeconds = TIMEOUT_SECONDS } = settings;
  const wrong = (what: string) => new TypeError(`the ${sort} webhook ${name} ${what}`);
  checkName(name, wrong);
  if (typeof admit !== 'function') throw wrong('has no function admit(request)');
  if (operations.length === 0) throw wrong('names no operations: leave them out, or give some');
  if (!isTimeout(timeoutSeconds))
    throw wrong(`has timeoutSeconds ${timeoutSeconds}: give 1 to ${MAX_TIMEOUT_SECONDS}, whole`);
  const common = { sort, name, timeoutSeconds, path: `/${name}`, ref };
  // By its own object, so that an admit that is a method finds its fellows.
  const ask: AnyOptions['admit'] = (request, tools) => options.admit(request, tools);
  return { ...common, operations: [...operations], subresource, settings, admit: ask };
}

const isTimeout = (seconds: number): boolean =>
  Number.isInteger(seconds) && seconds >= 1 && seconds <= MAX_TIMEOUT_SECONDS;

/** Three labels of a DNS name at least, and 253 characters at most. */
const QUALIFIED = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?){2,}$/;
const MAX_NAME_CHARS = 253;

function checkName(name: string, wrong: (what: string) => TypeError): void {
  if (name.length > MAX_NAME_CHARS || !QUALIFIED.test(name))
    throw wrong('is no DNS name of three labels: name it as `check-quota.example.com`');
}

function nameOf(sort: AdmissionWebhook['sort'], ref: KindRef, subresource: string): string {
  const verb = sort === 'validating' ? 'validate' : 'mutate';
  const about = subresource === '' ? ref.plural : `${subresource}.${ref.plural}`;
  return `${verb}.${about}.${ref.group || 'core'}`;
}
