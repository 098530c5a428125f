// Hashes of templates: stable, different where templates are, fit for names.
import { describe, expect, it } from 'vitest';
import { sameTemplate, templateHash } from './template-hash.ts';

const template = (image: string) => ({
  metadata: { labels: { b: '1', a: '2' } },
  spec: { containers: [{ name: 'c', image }] },
});

describe('the hash of a template', () => {
  it('does not depend on the order of fields, nor on fields that are not set', () => {
    const turned = {
      spec: { containers: [{ image: 'i', name: 'c', args: undefined }] },
      metadata: { labels: { a: '2', b: '1' } },
    };
    expect(templateHash(turned)).toBe(templateHash(template('i')));
  });

  it('differs for another image and for another count of collisions', () => {
    const hashes = [
      templateHash(template('i')),
      templateHash(template('j')),
      templateHash(template('i'), 1),
      templateHash(template('i'), 2),
    ];
    expect(new Set(hashes).size).toBe(4);
  });

  it('is fit for names and labels', () => {
    for (let i = 0; i < 100; i++)
      expect(templateHash(template(`i${i}`))).toMatch(/^[bcdfghjklmnpqrstvwxz2456789]{1,10}$/);
  });
});

describe('templates', () => {
  it('are the same whatever their own hash label says', () => {
    const marked = template('i');
    Object.assign(marked.metadata.labels, { 'pod-template-hash': 'x' });
    expect(sameTemplate(marked, template('i'))).toBe(true);
    expect(sameTemplate(marked, template('j'))).toBe(false);
  });
});
