// CertificateSigningRequests: somebody asks for a certificate, somebody else approves. Nothing signs approved ones yet.
// Invariant: the spec never changes; approval writes conditions and nothing else; what was decided stays decided.
import { ALL_VERBS, defineResource } from '../definition.ts';
import type {
  CertificateSigningRequest,
  CertificateSigningRequestCondition,
} from '../generated/types.ts';
import { CertificateSigningRequests } from '../kinds.ts';
import { ageColumn, nameColumn, text } from '../meta/columns.ts';
import { pathSegmentName } from '../meta/names.ts';
import { humanDuration } from '../wire/human-duration.ts';
import { validateRequestSpec, validateRequestStatus } from './certificate-validation.ts';

const DECISIONS = ['Approved', 'Denied'];

/** What CertificateSigningRequests are. */
export const certificateSigningRequestDefinition = defineResource<CertificateSigningRequest>({
  ref: CertificateSigningRequests,
  singular: 'certificatesigningrequest',
  listKind: 'CertificateSigningRequestList',
  shortNames: ['csr'],
  categories: [],
  schemaName: 'io.k8s.api.certificates.v1.CertificateSigningRequest',
  verbs: ALL_VERBS,
  hasStatus: true,
  hasGeneration: false,
  subresources: [
    { name: 'approval', kind: 'CertificateSigningRequest', verbs: ['get', 'patch', 'update'] },
  ],
  columns: [
    nameColumn,
    ageColumn,
    text('SignerName', 'Who is to sign.', ({ spec }) => spec?.signerName || '<none>'),
    text('Requestor', 'Who asks.', ({ spec }) => spec?.username ?? ''),
    text('RequestedDuration', 'For how long.', ({ spec }) =>
      spec?.expirationSeconds === undefined
        ? '<none>'
        : humanDuration(spec.expirationSeconds * 1000),
    ),
    text('Condition', 'What was decided, and done.', conditionText),
  ],
  selectableFields: { 'spec.signerName': ({ spec }) => spec?.signerName ?? '' },
  validateName: pathSegmentName,
  prepareForCreate(request) {
    request.status = {};
  },
  prepareForUpdate(request, old) {
    request.spec = structuredClone(old.spec);
  },
  prepareForStatus(request, old, subresource) {
    const conditions = request.status?.conditions ?? [];
    const before = old.status?.conditions ?? [];
    request.status =
      subresource === 'approval'
        ? { ...old.status, conditions }
        : { ...request.status, conditions: keepDecisions(conditions, before) };
  },
  validate: ({ spec }, old) => (old === undefined ? validateRequestSpec(spec ?? {}) : []),
  validateStatus: validateRequestStatus,
});

type Conditions = readonly CertificateSigningRequestCondition[];

/** Decisions are made by approval alone: those of a status are put back to what they were. */
function keepDecisions(now: Conditions, before: Conditions): CertificateSigningRequestCondition[] {
  const decided = before.filter(({ type }) => DECISIONS.includes(type));
  return [...decided, ...now.filter(({ type }) => !DECISIONS.includes(type))];
}

function conditionText({ status }: CertificateSigningRequest): string {
  const has = (type: string) => status?.conditions?.some((one) => one.type === type) ?? false;
  const decision = has('Denied') ? 'Denied' : has('Approved') ? 'Approved' : 'Pending';
  const parts = [decision];
  if (has('Failed')) parts.push('Failed');
  if (status?.certificate) parts.push('Issued');
  return parts.join(',');
}
