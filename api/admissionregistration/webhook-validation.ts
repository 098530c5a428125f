// Rules of webhooks: names, who is called how, and about what.
// Pure; wordings are those API clients know.
import type { FieldError } from '../field-error.ts';
import { duplicate, invalidValue, required, tooMany } from '../field-error.ts';
import type {
  AdmissionregistrationServiceReference,
  AdmissionregistrationWebhookClientConfig,
  MutatingWebhook,
  ValidatingWebhook,
} from '../generated/types.ts';
import { mustObey, obeys } from '../meta/field-rules.ts';
import { dnsLabel, dnsSubdomain, portNumber } from '../meta/names.ts';
import { oneOf, requiredOneOf } from '../meta/numbers.ts';
import { repeats } from '../meta/repeats.ts';
import { validateLabelSelector } from '../meta/validate-labels.ts';
import { type Compile, expressionFaults, isTooMany, tooManyChars } from './expression-rules.ts';
import { conditionExpressions } from './policy-expressions.ts';
import { validateMatchConditions, validateMatchRule } from './rule-validation.ts';

/** Versions of AdmissionReview that a server can send. */
const REVIEW_VERSIONS = ['v1', 'v1beta1'];
const SIDE_EFFECTS = ['None', 'NoneOnDryRun'];
const MAX_SECONDS = 30;
const MIN_LABELS = 3;
/** Match conditions of all webhooks of one configuration: compiling takes a fraction of a millisecond each. */
export const MAX_CONFIGURED_CONDITIONS = 1_000;

type Webhook = ValidatingWebhook & Partial<MutatingWebhook>;

/** Rules of a configuration's webhooks, and of a change of it. */
export function validateWebhooks(
  webhooks: readonly Webhook[],
  before: readonly Webhook[] = [],
): FieldError[] {
  const count = webhooks.reduce((sum, { matchConditions = [] }) => sum + matchConditions.length, 0);
  if (count > MAX_CONFIGURED_CONDITIONS)
    return [tooMany('webhooks[*].matchConditions', count, MAX_CONFIGURED_CONDITIONS)];
  const tooLong = tooManyChars('webhooks', textsOf(webhooks), textsOf(before));
  if (tooLong.length > 0) return tooLong;
  const twice = repeats(webhooks.map(({ name }: Partial<Webhook>) => name ?? ''));
  const shape = webhooks.flatMap((webhook, i) => {
    const path = `webhooks[${i}]`;
    const { name = '' } = webhook as Partial<Webhook>;
    return [
      ...validateWebhook(webhook, path),
      ...(name !== '' && twice.has(i) ? [duplicate(`${path}.name`, name)] : []),
    ];
  });
  if (shape.some(isTooMany)) return shape;
  return [...shape, ...expressionFaults(compiledConditions, webhooks, before)];
}

const textsOf = (webhooks: readonly Webhook[]) =>
  webhooks.flatMap(({ matchConditions = [] }) =>
    matchConditions.map(({ expression }) => expression),
  );

const compiledConditions: Compile<readonly Webhook[]> = (webhooks, patterns) =>
  webhooks.flatMap(({ matchConditions = [] }, i) =>
    conditionExpressions(matchConditions, `webhooks[${i}].matchConditions`, { patterns }),
  );

/** A name of three labels at least, so that it says whose it is. */
function qualifiedHook(name: string): string | undefined {
  return name.split('.').length < MIN_LABELS
    ? 'should be a domain with at least three segments separated by dots'
    : dnsSubdomain(name);
}

function validateWebhook(webhook: Partial<Webhook>, path: string): FieldError[] {
  const { name, rules = [], failurePolicy, matchPolicy, timeoutSeconds, clientConfig } = webhook;
  return [
    ...mustObey(qualifiedHook, name, `${path}.name`),
    ...validateReviewVersions(webhook.admissionReviewVersions ?? [], path),
    ...rules.flatMap((rule, i) => validateMatchRule(rule, `${path}.rules[${i}]`)),
    ...oneOf(failurePolicy, ['Fail', 'Ignore'], `${path}.failurePolicy`),
    ...oneOf(matchPolicy, ['Equivalent', 'Exact'], `${path}.matchPolicy`),
    ...oneOf(webhook.reinvocationPolicy, ['IfNeeded', 'Never'], `${path}.reinvocationPolicy`),
    ...requiredOneOf(webhook.sideEffects, SIDE_EFFECTS, `${path}.sideEffects`),
    ...validateTimeout(timeoutSeconds, `${path}.timeoutSeconds`),
    ...validateLabelSelector(webhook.namespaceSelector, `${path}.namespaceSelector`),
    ...validateLabelSelector(webhook.objectSelector, `${path}.objectSelector`),
    ...validateWebhookClient(clientConfig ?? {}, `${path}.clientConfig`),
    ...validateMatchConditions(webhook.matchConditions ?? [], `${path}.matchConditions`),
  ];
}

function validateTimeout(seconds: number | undefined, path: string): FieldError[] {
  if (seconds === undefined || (seconds >= 1 && seconds <= MAX_SECONDS)) return [];
  const why = `the timeout value must be between 1 and ${MAX_SECONDS} seconds`;
  return [invalidValue(path, seconds, why)];
}

function validateReviewVersions(versions: readonly string[], webhook: string): FieldError[] {
  const path = `${webhook}.admissionReviewVersions`;
  const known = REVIEW_VERSIONS.join(', ');
  if (versions.length === 0) return [required(path, `must specify one of ${known}`)];
  const twice = repeats(versions);
  const errors = versions.flatMap((version, i) => [
    ...obeys(dnsLabel, version, `${path}[${i}]`),
    ...(twice.has(i) ? [invalidValue(`${path}[${i}]`, version, 'duplicate version')] : []),
  ]);
  if (versions.some((version) => REVIEW_VERSIONS.includes(version))) return errors;
  const why = `must include at least one of ${known}`;
  return [...errors, invalidValue(path, versions, why)];
}

/** Who is called: a Service or a URL. */
export function validateWebhookClient(
  { url, service }: AdmissionregistrationWebhookClientConfig,
  path: string,
): FieldError[] {
  if ((url === undefined) === (service === undefined)) {
    return [required(path, 'exactly one of url or service is required')];
  }
  return service ? validateService(service, `${path}.service`) : validateUrl(url, `${path}.url`);
}

function validateUrl(text = '', path: string): FieldError[] {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    const why = 'url must be a valid URL; desired format: https://host[/path]';
    return [invalidValue(path, text, why)];
  }
  const form = '; desired format: https://host[/path]';
  const errors: FieldError[] = [];
  if (url.protocol !== 'https:') {
    const why = `'https' is the only allowed URL scheme${form}`;
    errors.push(invalidValue(path, url.protocol.slice(0, -1), why));
  }
  if (url.hostname === '') errors.push(invalidValue(path, '', `host must be specified${form}`));
  if (url.username || url.password) {
    errors.push(invalidValue(path, url.username, 'user information is not permitted in the URL'));
  }
  if (url.hash) errors.push(invalidValue(path, url.hash, 'fragments are not permitted in the URL'));
  if (url.search) {
    errors.push(invalidValue(path, url.search, 'query parameters are not permitted in the URL'));
  }
  return errors;
}

function validateService(
  service: Partial<AdmissionregistrationServiceReference>,
  path: string,
): FieldError[] {
  const { name, namespace, port = 443, path: urlPath } = service;
  const errors: FieldError[] = [];
  if (!name) errors.push(required(`${path}.name`, 'service name is required'));
  if (!namespace) errors.push(required(`${path}.namespace`, 'service namespace is required'));
  const badPort = portNumber(port);
  if (badPort !== undefined) {
    errors.push(invalidValue(`${path}.port`, port, `port is not valid: ${badPort}`));
  }
  if (urlPath === undefined || urlPath === '' || urlPath === '/') return errors;
  if (!urlPath.startsWith('/')) {
    return [...errors, invalidValue(`${path}.path`, urlPath, "must start with a '/'")];
  }
  const steps = urlPath.slice(1).replace(/\/$/, '').split('/');
  steps.forEach((step, i) => {
    if (step === '') {
      errors.push(invalidValue(`${path}.path`, urlPath, `segment[${i}] may not be empty`));
      return;
    }
    const bad = dnsSubdomain(step);
    if (bad !== undefined) {
      errors.push(invalidValue(`${path}.path`, urlPath, `segment[${i}]: ${bad}`));
    }
  });
  return errors;
}
