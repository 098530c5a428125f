// Failures on the way to a server, told to a person in one line, in the words that kubectl uses.
import type { ConnectionError } from './connection-error.ts';

/** One line: which server did not answer, and why. `server` is its URL. */
export function connectionProblem(error: ConnectionError, server: string): string {
  const { host } = new URL(server);
  if (error.code === 'ECONNREFUSED')
    return `The connection to the server ${host} was refused - did you specify the right host or port?`;
  const why = (error.cause instanceof Error ? error.cause.message : '') || error.message;
  const [line = ''] = why.split('\n');
  return error.failure === 'lost'
    ? `Unable to connect to the server: ${line} (${host})`
    : `The server ${host} did not answer as it should: ${line}`;
}
