import { loadModel } from 'tokenglass';
import storybook from 'tokenglass/storybook';
import { main } from '../../program.mjs';

export const dynamic = 'force-dynamic';

export async function GET(request) {
  const modelUrl = new URL(request.url).searchParams.get('model');
  return Response.json(await main({ loadModel, storybook, modelUrl }));
}
