// CertificateSigningRequests say who made them, and are decided and signed only by who may act for their signer
// (upstream's CertificateApproval and CertificateSigning). Invariant: nobody writes another's name into a request.
import type { Clock } from '../../base/clock.ts';
import type {
  CertificateSigningRequest,
  CertificateSigningRequestCondition,
} from '../../api/generated/types.ts';
import { CertificateSigningRequests } from '../../api/kinds.ts';
import { deepEqual } from '../../api/meta/deep-equal.ts';
import { formatTime } from '../../api/meta/time.ts';
import { forbidden } from '../../api/status.ts';
import type { UserInfo } from '../../api/wire/exchange.ts';
import type { RbacAuthorizer } from '../auth/rbac.ts';
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts';

/** The plugin. */
export function certificates(rbac: RbacAuthorizer, clock: Clock): AdmissionPlugin {
  return {
    name: 'Certificates',
    mutate({ operation, definition, subresource, object, user }) {
      if (definition.ref !== CertificateSigningRequests) return;
      const request = object as unknown as CertificateSigningRequest;
      if (operation === 'create') setRequester(request, user);
      else if (subresource) setTimes(request.status?.conditions ?? [], formatTime(clock.now()));
    },
    validate(request) {
      const { definition, operation, subresource } = request;
      if (definition.ref !== CertificateSigningRequests || operation !== 'update') return;
      if (subresource === 'approval') checkSigner(rbac, request, 'approve');
      if (subresource === 'status' && isSigning(request)) checkSigner(rbac, request, 'sign');
    },
  };
}

function setRequester({ spec }: Partial<CertificateSigningRequest>, user: UserInfo): void {
  if (!spec) return;
  const { username, uid, groups, extra } = user;
  spec.username = username;
  spec.groups = [...groups];
  delete spec.uid;
  delete spec.extra;
  if (uid) spec.uid = uid;
  if (extra) {
    spec.extra = Object.fromEntries(Object.entries(extra).map(([key, all]) => [key, [...all]]));
  }
}

function setTimes(conditions: readonly CertificateSigningRequestCondition[], now: string): void {
  for (const condition of conditions) {
    condition.lastUpdateTime ??= now;
    condition.lastTransitionTime ??= now;
  }
}

/** Does this write of a status hand out a certificate, or refuse one? */
function isSigning({ object, old }: AdmissionRequest): boolean {
  const said = (one: unknown) => {
    const { certificate, conditions = [] } = (one as CertificateSigningRequest).status ?? {};
    return { certificate, failed: conditions.filter(({ type }) => type === 'Failed') };
  };
  return !deepEqual(said(object), said(old));
}

function checkSigner(
  rbac: RbacAuthorizer,
  { definition, name, old, user }: AdmissionRequest,
  verb: 'approve' | 'sign',
): void {
  const { signerName = '' } = (old as unknown as Partial<CertificateSigningRequest>).spec ?? {};
  const names = [signerName, `${signerName.split('/')[0]}/*`];
  const { group } = CertificateSigningRequests;
  const may = names.some((each) =>
    rbac.allows(user, { verb, group, resource: 'signers', name: each }, ''),
  );
  if (may) return;
  const why = `user not permitted to ${verb} requests with signerName "${signerName}"`;
  throw forbidden(definition.ref, name, why);
}
