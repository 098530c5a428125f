// What expressions learn from `authorizer`: whom it asks about, what it asks, what that costs and what it refuses to ask.
import { describe, expect, it } from 'vitest';
import { compile, evaluate } from '../cel/compile.ts';
import { costBudget } from '../cel/meter.ts';
import type { AccessRequest } from '../rbac/evaluate.ts';
import { authorizerValue } from './authorizer-library.ts';
import { declarationsOf } from './expression-variables.ts';

const EVE = { username: 'eve', groups: ['crew'] };
const REQUESTED = {
  group: 'apps',
  resource: 'deployments',
  subresource: 'scale',
  namespace: 'a',
  name: 'b',
};

/** What an expression comes to, and every question it asked, as `user verb what in namespace`. */
function ask(source: string) {
  const asked: string[] = [];
  const decide = (user: { username: string }, request: AccessRequest, namespace: string) => {
    const { verb, ...what } = request;
    asked.push(`${user.username} ${verb} ${Object.values(what).join('/')} in ${namespace}`);
    return verb === 'get';
  };
  const compilation = compile(source, declarationsOf({ authorizer: true }));
  if (compilation.kind === 'faulty') throw new Error(compilation.message);
  const authorizer = authorizerValue(decide, EVE, REQUESTED);
  const outcome = evaluate(compilation.program, { authorizer }, costBudget());
  return { asked, outcome };
}

describe('authorizer', () => {
  it.each([
    [
      "authorizer.group('apps').resource('deployments').check('get').allowed()",
      'eve get apps/deployments// in ',
    ],
    [
      "authorizer.group('').resource('pods').subresource('log').namespace('n').name('p').check('get').allowed()",
      'eve get /pods/log/p in n',
    ],
    ["authorizer.path('/healthz').check('get').allowed()", 'eve get /healthz in '],
    ["authorizer.requestResource.check('get').allowed()", 'eve get apps/deployments/scale/b in a'],
    [
      "authorizer.serviceAccount('n', 'robot').path('/x').check('get').allowed()",
      'system:serviceaccount:n:robot get /x in ',
    ],
    [
      "authorizer.group('').resource('pods').fieldSelector('a=b').labelSelector('c').check('get').allowed()",
      'eve get /pods// in ',
    ],
  ])('%s asks: %s', (source, question) => {
    const { asked, outcome } = ask(source);
    expect(asked).toEqual([question]);
    expect(outcome).toMatchObject({ kind: 'value', value: true });
  });

  it('says no where there is no right, without a reason or an error', () => {
    const no = "authorizer.path('/x').check('delete')";
    const { outcome } = ask(`!${no}.allowed() && ${no}.reason() == '' && !${no}.errored()`);
    // The third question is one too many for one expression.
    expect(outcome).toMatchObject({ kind: 'exceeded', scope: 'call' });
    expect(ask(`!${no}.allowed() && ${no}.error() == ''`).outcome).toMatchObject({ value: true });
    expect(ask(`${no}.reason() == '' && !${no}.errored()`).outcome).toMatchObject({ value: true });
  });

  it.each([
    ["authorizer.path('').check('get').allowed()", 'path must not be empty'],
    [
      "authorizer.serviceAccount('A b', 'c').path('/').check('get').allowed()",
      'Invalid service account namespace',
    ],
    [
      "authorizer.serviceAccount('a', '/').path('/').check('get').allowed()",
      'Invalid service account name',
    ],
  ])('does not ask %s', (source, message) => {
    const { asked, outcome } = ask(source);
    expect(asked).toEqual([]);
    expect(outcome).toMatchObject({ kind: 'error', message });
  });
});
