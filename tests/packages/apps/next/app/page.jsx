'use client';

import { useEffect } from 'react';
import { loadModel } from 'tokenglass';
import storybook from 'tokenglass/storybook';
import { main } from '../program.mjs';

export default function Page() {
  useEffect(() => {
    main({ loadModel, storybook });
  }, []);
  return <p>The model runs in this page.</p>;
}
