/** The fenced blocks of a document, by language, in order. */
export function blocksOf(markdown: string, language: string): string[] {
  return [...markdown.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(
    (match) => match[1]!,
  );
}

/** The rows of the table between `<!-- name -->` marks. */
export function marked(markdown: string, name: string): string {
  const [, inside] = markdown.split(new RegExp(`<!-- /?${name} -->\\n`));
  if (inside === undefined) throw new Error(`there are no ${name} marks`);
  return inside;
}
