/** Name of the migrated, empty database that the tests' own are copied from. */
export const templateDatabase = 'template_holdfast';
