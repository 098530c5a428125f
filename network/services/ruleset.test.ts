// The nftables text: what a Service comes to, and that changes lead exactly from one state to the next.
import { describe, expect, it } from 'vitest';
import { fc } from '../../test/support/properties.ts';
import type { Front } from './rows.ts';
import { elementsOf, ServiceTable } from './ruleset.ts';

const layout = {
  clusterId: 'abc123',
  podCidr: '10.244.0.0/16',
  nodePodCidr: '10.244.0.0/24',
  serviceCidr: '10.96.0.0/16',
  nodeIp: '10.244.0.1',
  dnsIp: '10.96.0.10',
  dnsPort: 10_053,
};
const front = (ip: string | undefined, port: number, backends: readonly number[]): Front => ({
  ip,
  protocol: 'tcp',
  port,
  backends: backends.map((last) => ({ ip: `10.244.0.${last}`, port: 8080 })),
});

/** What the kernel would hold after these commands. */
function replay(kernel: Map<string, string>, commands: string): void {
  for (const line of commands.split('\n').filter((each) => each.includes(' element '))) {
    const match = /^(add|delete) element ip \S+ (\S+) \{ (.+) \}$/.exec(line);
    if (!match) throw new Error(`unknown command: ${line}`);
    const key = `${match[2]} ${match[3]?.split(' : ')[0]}`;
    if (match[1] === 'add') {
      if (kernel.has(key)) throw new Error(`added twice: ${line}`);
      kernel.set(key, match[3] ?? '');
    } else if (!kernel.delete(key)) throw new Error(`deleted but not there: ${line}`);
  }
}

describe('ServiceTable', () => {
  it('makes a front, its backends and a drawing chain', () => {
    const text = new ServiceTable(layout).replace('shop/web', [front('10.96.0.5', 80, [5, 6])]);
    expect(text).toContain('add chain ip pinnace_abc123 draw2');
    expect(text).toContain(
      'add element ip pinnace_abc123 fronts { 10.96.0.5 . tcp . 80 : goto draw2 }',
    );
    expect(text).toContain('backends { 10.96.0.5 . tcp . 80 . 0x00000001 : 10.244.0.6 . 8080 }');
  });

  it('remembers clients by backends and not by their places', () => {
    const table = new ServiceTable(layout);
    const sticky = (ip: string | undefined, backends: readonly number[]) => ({
      ...front(ip, 80, backends),
      affinitySeconds: 600,
    });
    const text = table.replace('shop/web', [
      sticky('10.96.0.5', [5, 6]),
      sticky(undefined, [5, 6]),
    ]);
    expect(text).toContain('fronts { 10.96.0.5 . tcp . 80 : goto stick2for600 }');
    expect(text).toContain('nodefronts { tcp . 80 : goto nodestick2for600 }');
    expect(text).toContain('backends { 10.96.0.5 . tcp . 80 . 0x0af40006 : 10.244.0.6 . 8080 }');
    expect(text).toContain('identities { 10.96.0.5 . tcp . 80 . 0x00000001 : 0x0af40006 }');
    expect(text.indexOf('add rule ip pinnace_abc123 stuck600')).toBeLessThan(
      text.indexOf('add rule ip pinnace_abc123 stick2for600'),
    );
    const fewer = table.replace('shop/web', [sticky('10.96.0.5', [6])]);
    expect(fewer).not.toContain(
      'delete element ip pinnace_abc123 backends { 10.96.0.5 . tcp . 80 . 0x0af40006',
    );
    const ports = [
      { ip: '10.244.0.5', port: 1 },
      { ip: '10.244.0.5', port: 2 },
    ];
    const twice = elementsOf([{ ...sticky('10.96.0.5', []), backends: ports }]).elements;
    expect([...twice.keys()].filter((key) => key.startsWith('backends '))).toHaveLength(2);
  });

  it('says nothing when nothing changed', () => {
    const table = new ServiceTable(layout);
    table.replace('shop/web', [front('10.96.0.5', 80, [5])]);
    expect(table.replace('shop/web', [front('10.96.0.5', 80, [5])])).toBe('');
  });

  it('keeps a hairpin that another Service still needs', () => {
    const table = new ServiceTable(layout);
    table.replace('a', [front('10.96.0.5', 80, [5])]);
    table.replace('b', [front('10.96.0.6', 80, [5])]);
    expect(table.replace('a', [])).not.toContain('hairpins');
    expect(table.replace('b', [])).toContain('delete element ip pinnace_abc123 hairpins');
  });

  it('has no rows for a Service without backends', () => {
    expect(elementsOf([front('10.96.0.5', 80, [])]).elements.size).toBe(0);
  });

  it('leads from any state to any other, whatever the order of changes', () => {
    const change = fc.record({
      service: fc.integer({ min: 1, max: 4 }),
      backends: fc.uniqueArray(fc.integer({ min: 2, max: 9 }), { maxLength: 5 }),
      node: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 20 }), (changes) => {
        const table = new ServiceTable(layout);
        const kernel = new Map<string, string>();
        const wanted = new Map<number, Front[]>();
        for (const { service, backends, node } of changes) {
          const fronts = [front(`10.96.0.${service}`, 80, backends)];
          if (node) fronts.push(front(undefined, 30_000 + service, backends));
          wanted.set(service, fronts);
          replay(kernel, table.replace(`ns/${service}`, fronts));
        }
        const expected = new Set<string>();
        for (const fronts of wanted.values())
          for (const element of elementsOf(fronts).elements.values()) expected.add(element);
        expect(new Set(kernel.values())).toEqual(expected);
      }),
    );
  });
});
