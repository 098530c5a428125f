// Which objects an owner keeps, takes in and lets go.
import { describe, expect, it } from 'vitest';
import { selectorFromMap } from '../../api/meta/labels.ts';
import type { KubeObject, ObjectMeta } from '../../api/meta/object.ts';
import { planClaims } from './claim.ts';

const object = (name: string, metadata: Partial<ObjectMeta>): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, uid: name, ...metadata },
});
const ownedBy = (uid: string) => ({
  ownerReferences: [{ apiVersion: 'v1', kind: 'X', name: uid, uid, controller: true }],
});
const fits = { labels: { app: 'x' } };
const leaving = { deletionTimestamp: '2026-01-01T00:00:00Z' };
const selector = selectorFromMap({ app: 'x' });
const names = (objects: readonly KubeObject[]) => objects.map(({ metadata }) => metadata.name);

function plan(owner: KubeObject, candidates: KubeObject[], mayAdopt?: () => boolean) {
  const { keep, adopt, release } = planClaims({ owner, selector, mayAdopt }, candidates);
  return { keep: names(keep), adopt: names(adopt), release: names(release) };
}

describe('a claim', () => {
  const owner = object('me', {});
  const mine = object('mine', { ...fits, ...ownedBy('me') });
  const stray = object('stray', ownedBy('me'));
  const orphan = object('orphan', fits);

  it('keeps its own, takes in orphans that fit, and lets go what no longer fits', () => {
    const theirs = object('theirs', { ...fits, ...ownedBy('other') });
    const alien = object('alien', {});
    const ending = object('ending', { ...fits, ...leaving });
    expect(plan(owner, [mine, stray, orphan, theirs, alien, ending])).toEqual({
      keep: ['mine'],
      adopt: ['orphan'],
      release: ['stray'],
    });
  });

  it('takes in only orphans that may be', () => {
    expect(plan(owner, [mine, orphan], () => false)).toEqual({
      keep: ['mine'],
      adopt: [],
      release: [],
    });
  });

  it('of an owner that goes changes nothing', () => {
    const going = object('me', leaving);
    expect(plan(going, [mine, stray, orphan])).toEqual({ keep: ['mine'], adopt: [], release: [] });
  });
});
