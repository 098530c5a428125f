// The catalog service: lists the goods of the shop, read from a ConfigMap mounted as a file.
// Cheap per request on purpose: while a sale loads payment, catalog has no reason to grow.
import { readFileSync } from 'node:fs';
import { serve } from './service.ts';

/** One thing for sale. */
interface Good {
  readonly id: string;
  readonly name: string;
  readonly priceCents: number;
}

const file = process.env['CATALOG_FILE'] ?? '/etc/shop/goods.json';
const goods = JSON.parse(readFileSync(file, 'utf8')) as readonly Good[];
const byId = new Map(goods.map((good) => [good.id, good]));

serve('catalog', (request) => {
  const path = new URL(request.url ?? '/', 'http://shop').pathname;
  if (path === '/goods') return { status: 200, body: goods };
  const good = byId.get(path.slice('/goods/'.length));
  return good
    ? { status: 200, body: good }
    : { status: 404, body: { error: `no such good: ${path}` } };
});
