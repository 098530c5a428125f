// Writes the git-ignored api/generated/ from the model classes of @kubernetes/client-node:
// types.ts (TypeScript interfaces) and schemas.json (OpenAPI v3 schemas by upstream name).
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readModels } from './generate/read-models.ts';
import { writeTypes } from './generate/write-types.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const source = join(root, 'node_modules/@kubernetes/client-node');
const target = join(root, 'api/generated');

const { models } = readModels(join(source, 'dist/gen'));
mkdirSync(target, { recursive: true });
writeFileSync(join(target, 'types.ts'), writeTypes(models));
