// Who asks, as headers.
import { expect, it } from 'vitest';
import { remoteUserHeaders } from './front-proxy-headers.ts';

it('tells name, uid, groups and what else is known, each value by itself', () => {
  const user = {
    username: 'jane',
    uid: '42',
    groups: ['a', 'b, c'],
    extra: { scopes: ['x', 'y'], 'example.com/key%': ['z'] },
  };
  expect(remoteUserHeaders(user)).toEqual({
    'X-Remote-User': 'jane',
    'X-Remote-Uid': '42',
    'X-Remote-Group': ['a', 'b, c'],
    'X-Remote-Extra-scopes': ['x', 'y'],
    'X-Remote-Extra-example.com%2Fkey%25': ['z'],
  });
});

it('lets no name begin another header, and no key be one that is not its own', () => {
  const headers = remoteUserHeaders({
    username: 'eve\r\nX-Remote-User: root',
    groups: [],
    extra: { 'a\r\nb: ': [] },
  });
  expect(headers).toEqual({
    'X-Remote-User': 'eve  X-Remote-User: root',
    'X-Remote-Extra-a%0D%0Ab%3A%20': [],
  });
});

it('writes other letters as UTF-8', () => {
  const { 'X-Remote-User': name } = remoteUserHeaders({ username: 'jürgen', groups: [] });
  expect(Buffer.from(String(name), 'latin1').toString()).toBe('jürgen');
});
