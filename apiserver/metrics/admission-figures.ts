// What the server counts of admission, under upstream's names and labels.
// Invariant: a pass of a plugin costs two looks at the clock and an addition; series are bound by plugins and webhooks.
import type { Figures, Spread } from '../../base/figures.ts';
import type { AdmissionOperation } from '../admission/admission.ts';

/** Which half of admission: changing or refusing, by upstream's labels. */
export type AdmissionType = 'admit' | 'validate';
/** The same of webhooks, whose labels differ. */
export type WebhookType = 'admit' | 'validating';

/** Why a webhook's call led to a refusal: its own word, or a call that failed. */
export type RejectionType = 'no_error' | 'calling_webhook_error' | 'apiserver_internal_error';

/** Times of a plugin or a step, in seconds. */
export interface StepDurations {
  readonly passed: Spread;
  readonly refused: Spread;
}

/** One call of a webhook. */
export interface WebhookCallFigures {
  readonly name: string;
  readonly type: WebhookType;
  readonly operation: AdmissionOperation;
  readonly ms: number;
  readonly rejected: boolean;
  /** HTTP code of what the webhook said, or of the failure; 200 where it agreed. */
  readonly code: number;
}

/** Upper bounds, seconds; upstream's. */
const SECONDS = [0.005, 0.025, 0.1, 0.5, 1, 2.5];
const CALL_SECONDS = [...SECONDS, 10, 25];
const CONDITION_SECONDS = [0.001, 0.005, 0.01, 0.025, 0.1, 0.2, 0.25];
const MAX_CODE = 600;

/** Counts admission. */
export class AdmissionFigures {
  readonly #families;

  constructor(figures: Figures) {
    this.#families = familiesOf(figures);
  }

  /** Where the times of a plugin are counted, to be kept by who asks it; an empty name is the whole step. */
  durations(plugin: string, type: AdmissionType, operation: AdmissionOperation): StepDurations {
    const { controllers, steps } = this.#families;
    const of = (rejected: string) => {
      const labels = [type, operation.toUpperCase(), rejected];
      return plugin === '' ? steps.of(...labels) : controllers.of(plugin, ...labels);
    };
    let refused: Spread | undefined;
    return {
      passed: of('false'),
      get refused() {
        return (refused ??= of('true'));
      },
    };
  }

  /** A webhook was called. */
  called({ name, type, operation, ms, rejected, code }: WebhookCallFigures): void {
    const labels = [name, type, operation.toUpperCase()];
    this.#families.calls.of(...labels, String(rejected)).observe(ms / 1000);
    this.#families.requests.of(...labels, codeText(code), String(rejected)).add();
  }

  /** A webhook, or its failure, refused a request. */
  rejected(
    { name, type, operation, code }: Omit<WebhookCallFigures, 'ms' | 'rejected'>,
    why: RejectionType,
  ): void {
    const labels = [name, type, operation.toUpperCase(), why, codeText(code)];
    this.#families.rejections.of(...labels).add();
  }

  /** A webhook failed, and the request went on. */
  failedOpen(name: string, type: WebhookType): void {
    this.#families.open.of(name, type).add();
  }

  /** Match conditions kept a webhook or a policy out of a request. */
  excluded(about: ConditionsAsked): void {
    this.#families.exclusions.of(...conditionLabels(about)).add();
  }

  /** Match conditions could not be told. */
  conditionFailed(about: ConditionsAsked): void {
    this.#families.conditionErrors.of(...conditionLabels(about)).add();
  }

  /** Match conditions were asked. */
  conditionsAsked(about: ConditionsAsked, ms: number): void {
    this.#families.conditionSeconds.of(...conditionLabels(about)).observe(ms / 1000);
  }
}

/** Whose match conditions were asked about what. */
export interface ConditionsAsked {
  readonly name: string;
  /** A webhook's unless told. */
  readonly kind?: 'policy';
  readonly type: AdmissionType | WebhookType;
  readonly operation: AdmissionOperation;
}

const conditionLabels = ({ name, type, kind, operation }: ConditionsAsked) =>
  [name, type, kind ?? 'webhook', operation.toUpperCase()] as const;

/** Webhooks make codes up; upstream counts those beyond 600 as one. */
const codeText = (code: number): string => String(Math.min(code, MAX_CODE));

function familiesOf(figures: Figures) {
  const of = ['type', 'operation', 'rejected'] as const;
  const call = ['name', 'type', 'operation'] as const;
  const condition = ['name', 'type', 'kind', 'operation'] as const;
  return {
    controllers: figures.histogram({
      name: 'apiserver_admission_controller_admission_duration_seconds',
      help: 'Time that a plugin of admission took.',
      labels: ['name', ...of],
      buckets: SECONDS,
    }),
    steps: figures.histogram({
      name: 'apiserver_admission_step_admission_duration_seconds',
      help: 'Time that all plugins of a step of admission took together.',
      labels: of,
      buckets: SECONDS,
    }),
    calls: figures.histogram({
      name: 'apiserver_admission_webhook_admission_duration_seconds',
      help: 'Time that a call of an admission webhook took.',
      labels: [...call, 'rejected'],
      buckets: CALL_SECONDS,
    }),
    requests: figures.counter({
      name: 'apiserver_admission_webhook_request_total',
      help: 'Calls of admission webhooks by the code that came of them.',
      labels: [...call, 'code', 'rejected'],
    }),
    rejections: figures.counter({
      name: 'apiserver_admission_webhook_rejection_count',
      help: 'Requests that an admission webhook, or its failure, refused.',
      labels: [...call, 'error_type', 'rejection_code'],
    }),
    open: figures.counter({
      name: 'apiserver_admission_webhook_fail_open_count',
      help: 'Requests that went on although an admission webhook failed.',
      labels: ['name', 'type'],
    }),
    exclusions: figures.counter({
      name: 'apiserver_admission_match_condition_exclusions_total',
      help: 'Requests that match conditions kept a webhook or policy out of.',
      labels: condition,
    }),
    conditionErrors: figures.counter({
      name: 'apiserver_admission_match_condition_evaluation_errors_total',
      help: 'Requests for which match conditions could not be told.',
      labels: condition,
    }),
    conditionSeconds: figures.histogram({
      name: 'apiserver_admission_match_condition_evaluation_seconds',
      help: 'Time that asking the match conditions of a webhook took.',
      labels: condition,
      buckets: CONDITION_SECONDS,
    }),
  };
}
