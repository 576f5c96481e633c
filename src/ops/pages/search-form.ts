const FIELDS = ['id', 'email', 'status'] as const;

/** @returns the fields of a search that say something */
export function searchOf(query: Record<string, string>): Record<string, string> {
  const said = FIELDS.flatMap((field) => {
    const text = query[field]?.trim();
    return text ? [[field, text]] : [];
  });
  return Object.fromEntries(said);
}
