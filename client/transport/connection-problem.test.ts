// What a person is told when a server cannot be reached.
import { describe, expect, it } from 'vitest';
import { ConnectionError } from './connection-error.ts';
import { connectionProblem } from './connection-problem.ts';

const coded = (code: string, message: string) => Object.assign(new Error(message), { code });

describe('a connection problem', () => {
  it('names host and port of a server that refuses', () => {
    const cause = coded('ECONNREFUSED', 'connect ECONNREFUSED 10.0.0.1:6443');
    expect(
      connectionProblem(new ConnectionError('lost', 'x', cause), 'https://10.0.0.1:6443'),
    ).toBe(
      'The connection to the server 10.0.0.1:6443 was refused - did you specify the right host or port?',
    );
  });

  it('is one line that says why, whatever else went wrong', () => {
    const unknown = new ConnectionError('lost', 'x', coded('ENOTFOUND', 'getaddrinfo ENOTFOUND h'));
    expect(connectionProblem(unknown, 'https://h:1')).toBe(
      'Unable to connect to the server: getaddrinfo ENOTFOUND h (h:1) - its name is not known here: look at the server of the cluster in the kubeconfig',
    );
    const odd = new ConnectionError('malformed', 'the answer is not JSON\nat all');
    expect(connectionProblem(odd, 'http://h:1')).toBe(
      'The server h:1 did not answer as it should: the answer is not JSON',
    );
  });
});
