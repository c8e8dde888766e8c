/** What a vendor's package declares, read from the text of its declarations. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const packages = join(import.meta.dirname, '..', '..', 'node_modules');

/** Names of the members of an interface, nested ones left out. @throws Error where there is no such interface. */
export function membersOf(file: string, name: string): string[] {
  const text = readFileSync(join(packages, file), 'utf8');
  const interfaces = new RegExp(`^( *)(?:export )?interface ${name}\\b[^{]*\\{\\n([\\s\\S]*?)^\\1\\}`, 'm');
  const [, indent, body] = interfaces.exec(text) ?? [];
  if (indent === undefined || body === undefined) throw new Error(`${file} declares no interface ${name}`);
  return [...body.matchAll(new RegExp(`^${indent} {4}(\\w+)\\??:`, 'gm'))].map((match) => match[1]!);
}
