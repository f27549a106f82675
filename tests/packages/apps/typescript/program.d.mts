export function main(given: object): Promise<object>;
