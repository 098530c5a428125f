// Failures on the way to a server, told to a person in one line, in the words that kubectl uses, with what to do where that is known.
import type { ConnectionError } from './connection-error.ts';

const UNTRUSTED =
  'its certificate is of an authority that is not trusted here: set certificate-authority of the cluster in the kubeconfig';

/** What to do, by the system's code. */
const HINTS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'its name is not known here: look at the server of the cluster in the kubeconfig',
  EPROTO: 'it speaks no TLS: should its URL begin with http:// instead of https://?',
  CERT_HAS_EXPIRED: "its certificate has expired, or this host's clock is wrong",
  CERT_NOT_YET_VALID: "its certificate is not valid yet, or this host's clock is wrong",
  ERR_TLS_CERT_ALTNAME_INVALID:
    'its certificate is for another name: reach it by that name, or set tls-server-name of the cluster in the kubeconfig',
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  CERT_SIGNATURE_FAILURE: UNTRUSTED,
};

/** One line: which server did not answer, and why. `server` is its URL. */
export function connectionProblem(error: ConnectionError, server: string): string {
  const { host } = new URL(server);
  if (error.code === 'ECONNREFUSED')
    return `The connection to the server ${host} was refused - did you specify the right host or port?`;
  const why = (error.cause instanceof Error ? error.cause.message : '') || error.message;
  const [line = ''] = why.split('\n');
  const hint = HINTS[error.code ?? ''];
  const todo = hint === undefined ? '' : ` - ${hint}`;
  return error.failure === 'lost'
    ? `Unable to connect to the server: ${line} (${host})${todo}`
    : `The server ${host} did not answer as it should: ${line}`;
}
