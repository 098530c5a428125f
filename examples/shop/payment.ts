// The payment service: takes a card and an amount, answers with a token for the card and a signed receipt.
// Deriving the token is real work for the CPU (PBKDF2), as it is in a card vault: load shows up as CPU use.
import { createHmac, pbkdf2Sync } from 'node:crypto';
import { serve } from './service.ts';

/** Rounds of the key derivation: sets how much CPU a payment takes (about 3 ms on a server core). */
const ROUNDS = Number(process.env['VAULT_ROUNDS'] ?? 12_000);
const CURRENCY = process.env['SHOP_CURRENCY'] ?? 'EUR';
const SECRET = process.env['VAULT_KEY'] ?? '';

interface Payment {
  readonly card: string;
  readonly amountCents: number;
}

/** The check digit rule of card numbers (ISO/IEC 7812-1, the Luhn sum). */
function validCard(card: string): boolean {
  if (!/^\d{12,19}$/.test(card)) return false;
  let sum = 0;
  card
    .split('')
    .reverse()
    .forEach((digit, i) => {
      const doubled = Number(digit) * (i % 2 === 1 ? 2 : 1);
      sum += doubled > 9 ? doubled - 9 : doubled;
    });
  return sum % 10 === 0;
}

function parsePayment(body: Buffer): Payment | string {
  let value: Partial<Payment>;
  try {
    value = JSON.parse(body.toString('utf8')) as Partial<Payment>;
  } catch {
    return 'the body is not JSON';
  }
  if (typeof value.card !== 'string' || !validCard(value.card)) return 'card: not a card number';
  if (!Number.isInteger(value.amountCents) || Number(value.amountCents) <= 0)
    return 'amountCents: must be a whole number above zero';
  return { card: value.card, amountCents: Number(value.amountCents) };
}

if (SECRET === '') {
  process.stderr.write('payment: VAULT_KEY is not set; it comes from the Secret of the shop\n');
  process.exit(1);
}

serve('payment', (request, body) => {
  if (request.url !== '/pay') return { status: 404, body: { error: 'POST /pay is all there is' } };
  if (request.method !== 'POST') return { status: 405, body: { error: 'use POST' } };
  const payment = parsePayment(body);
  if (typeof payment === 'string') return { status: 400, body: { error: payment } };
  const token = pbkdf2Sync(payment.card, SECRET, ROUNDS, 32, 'sha256').toString('hex');
  const receipt = { token, amountCents: payment.amountCents, currency: CURRENCY };
  const signature = createHmac('sha256', SECRET).update(JSON.stringify(receipt)).digest('hex');
  return { status: 200, body: { ...receipt, signature } };
});
