// `npm run coverage`: writes docs/api-coverage.md. Invariant: the page is what coverageDocument says, and nothing else writes it.
import { writeFileSync } from 'node:fs';
import { coverageDocument } from './api-level/coverage-document.ts';

writeFileSync(new URL('../docs/api-coverage.md', import.meta.url), await coverageDocument());
