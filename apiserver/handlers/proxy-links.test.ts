// Links on their way through a proxy: which are rewritten, however the page is cut into pieces, and the limit of one tag.
import { describe, expect, it } from 'vitest';
import { LinkRewriter, MAX_TAG_CHARS, proxiedLink } from './proxy-links.ts';

const ROOT = { prefix: '/p', hosts: new Set(['10.0.0.2', '10.0.0.2:80']) };

function rewritten(page: string, size: number): string {
  const rewriter = new LinkRewriter(ROOT);
  let done = '';
  for (let at = 0; at < page.length; at += size) done += rewriter.push(page.slice(at, at + size));
  return done + rewriter.end();
}

describe('A link', () => {
  it.each([
    ['/a?b=/c#d', '/p/a?b=/c#d'],
    ['/', '/p/'],
    ['http://10.0.0.2:80/a', '/p/a'],
    ['//10.0.0.2/a', '/p/a'],
    ['/p/a', '/p/a'],
    ['/pa', '/p/pa'],
    ['a/b', 'a/b'],
    ['#d', '#d'],
    ['https://else/a', 'https://else/a'],
    ['mailto:a@b', 'mailto:a@b'],
    ['data:/x', 'data:/x'],
    ['', ''],
  ])('%s becomes %s', (link, becomes) => {
    expect(proxiedLink(link, ROOT)).toBe(becomes);
  });
});

describe('A page', () => {
  it.each([
    [`<A HREF = '/x' title="a > b">é</A>`, `<A HREF = '/p/x' title="a > b">é</A>`],
    ['<img src=/i alt="/j">', '<img src=/p/i alt="/j">'],
    ['<!-- <a href="/x"> --><a href="/y">', '<!-- <a href="/x"> --><a href="/p/y">'],
    [
      `<script src="/s">'<a href="/x">'</script><a href="/y">`,
      `<script src="/p/s">'<a href="/x">'</script><a href="/p/y">`,
    ],
    ['1 < 2 <b>/x</b> <', '1 < 2 <b>/x</b> <'],
    ['<a href="/cut', '<a href="/cut'],
    ['<!doctype html><!-', '<!doctype html><!-'],
  ])('%s, in pieces of any size', (page, becomes) => {
    for (const size of [1, 2, 3, 7, page.length]) expect(rewritten(page, size)).toBe(becomes);
  });

  it('keeps a tag that is longer than the limit as it is, and goes on after it', () => {
    const fits = `<a title="${'x'.repeat(MAX_TAG_CHARS - 100)}" href="/a">`;
    expect(rewritten(fits, 1000)).toContain('href="/p/a"');
    const long = `<a title="${'x'.repeat(MAX_TAG_CHARS)}" href="/a">`;
    const page = `${long}<a href="/b">`;
    for (const size of [1000, page.length]) {
      expect(rewritten(page, size) === `${long}<a href="/p/b">`).toBe(true);
    }
  });
});
