/** The papers for which nothing works here, each with the reason. */
import type { OtherPaper } from './paper.js';

/** Papers for which nothing works here. */
export const others: readonly OtherPaper[] = [
  {
    number: 1,
    name: 'Prot2Token',
    title: 'Prot2Token: A Unified Framework for Protein Modeling via Next-Token Prediction',
    year: 2025,
    kind: 'domain',
    sentence: 'One decoder answers many questions about a protein by writing the answer as tokens.',
    why: 'Its decoder reads a protein encoder by cross-attention. Decoders in GGUF files have no cross-attention.',
  },
  {
    number: 2,
    name: 'Context-aware RoPE (CARoPE)',
    title: 'Context-aware Rotary Position Embedding',
    year: 2025,
    kind: 'arch',
    sentence: 'Each head rotates its queries and keys at speeds that it computes from the tokens.',
    why: 'The speeds need trained weights, and we know of no published model that has them.',
  },
  {
    number: 5,
    name: 'Auxiliary tasks + multi-token prediction for visual planning',
    title: 'Enhancing Visual Planning with Auxiliary Tasks and Multi-token Prediction',
    year: 2025,
    kind: 'train',
    sentence:
      'A model plans better from videos when it also learns to predict the goal and several tokens at once.',
    why: 'It is about training on videos. The extra heads are dropped for inference.',
  },
  {
    number: 6,
    name: 'TokenUnify (EM images)',
    title: 'TokenUnify: Scalable Autoregressive Visual Pre-training with Mixture Token Prediction',
    year: 2024,
    kind: 'train',
    sentence:
      'Images of brain tissue are learned by predicting random, next and all following tokens.',
    why: 'It trains a model of images.',
  },
  {
    number: 9,
    name: 'ViT-VQGAN image modelling',
    title: 'Vector-quantized Image Modeling with Improved VQGAN',
    year: 2021,
    kind: 'train',
    sentence:
      'An image becomes a short list of codes, and a language model over these codes draws new images.',
    why: 'Codes become an image in a network of another kind.',
  },
  {
    number: 10,
    name: 'Ming-UniVision',
    title:
      'Ming-UniVision: Joint Image Understanding and Generation with a Unified Continuous Tokenizer',
    year: 2025,
    kind: 'train',
    sentence: 'One model reads and draws images through vectors instead of codes.',
    why: 'Its tokens are vectors. The engine predicts ids.',
  },
  {
    number: 11,
    name: 'GASP (driving)',
    title:
      'GASP: Unifying Geometric and Semantic Self-Supervised Pre-training for Autonomous Driving',
    year: 2025,
    kind: 'train',
    sentence: "A car's sensors teach a model to predict what will be where, in space and time.",
    why: 'It trains a model of sensor data.',
  },
  {
    number: 12,
    name: 'GraphGPT (Eulerian)',
    title: 'GraphGPT: Generative Pre-trained Graph Eulerian Transformer',
    year: 2023,
    kind: 'domain',
    sentence:
      'A graph is written as a walk over all its edges, and a language model learns such walks.',
    why: 'Not here: a program that turns graphs into walks, and a GGUF file with such a model.',
  },
  {
    number: 13,
    name: 'Omni-DNA',
    title: 'Omni-DNA: A Unified Genomic Foundation Model for Cross-Modal and Multi-Task Learning',
    year: 2025,
    kind: 'domain',
    sentence:
      'One model of DNA letters also does tasks on genes that it answers in words or images.',
    why: "The weights are published as safetensors files of an architecture that is not in the engine's list.",
  },
  {
    number: 15,
    name: 'Teaching arithmetic to small transformers',
    title: 'Teaching Arithmetic to Small Transformers',
    year: 2023,
    kind: 'domain',
    sentence:
      'Small models learn addition much faster when the digits of the sum come in reverse order.',
    why: 'It is about training, and no GGUF file with such a model is here.',
  },
  {
    number: 16,
    name: 'SFTMix',
    title: 'SFTMix: Elevating Language Model Instruction Tuning with Mixup Recipe',
    year: 2024,
    kind: 'train',
    sentence: 'Instruction tuning works better when examples of high and low confidence are mixed.',
    why: 'It is a way to train. Models that were tuned by it run as any others.',
  },
  {
    number: 17,
    name: 'G3PT (3D)',
    title:
      'G3PT: Unleash the power of Autoregressive Modeling in 3D Generation via Cross-scale Querying Transformer',
    year: 2024,
    kind: 'train',
    sentence: 'Three-dimensional shapes are made scale by scale, from coarse to fine.',
    why: 'It makes shapes, not text.',
  },
  {
    number: 19,
    name: 'Reasoning from the get-go',
    title: 'General Reasoning Requires Learning to Reason from the Get-go',
    year: 2025,
    kind: 'train',
    sentence: 'The authors argue that models should first learn to reason on made-up tasks.',
    why: 'It argues for a way to train. There is nothing to run.',
  },
  {
    number: 22,
    name: 'MatterGPT',
    title:
      'MatterGPT: A Generative Transformer for Multi-Property Inverse Design of Solid-State Materials',
    year: 2024,
    kind: 'domain',
    sentence:
      'Crystals are written as strings, and a model writes a string for the wanted properties.',
    why: 'No GGUF file has the model, and a program that turns crystals into strings is not here.',
  },
  {
    number: 23,
    name: 'FlexTok',
    title: 'FlexTok: Resampling Images into 1D Token Sequences of Flexible Length',
    year: 2025,
    kind: 'train',
    sentence: 'An image becomes a list of tokens of any length, the most important ones first.',
    why: 'Tokens become an image in a network of another kind.',
  },
  {
    number: 24,
    name: 'Scan and Snap',
    title:
      'Scan and Snap: Understanding Training Dynamics and Token Composition in 1-layer Transformer',
    year: 2023,
    kind: 'train',
    sentence:
      'A theory of training says how one layer of attention comes to look at the tokens that matter.',
    why: 'It is about what happens during training.',
  },
  {
    number: 25,
    name: 'Cognitive maps (TDB)',
    title:
      'Learning Cognitive Maps from Transformer Representations for Efficient Planning in Partially Observed Environments',
    year: 2024,
    kind: 'arch',
    sentence:
      'A layer of discrete codes inside a transformer gives a map on which paths can be searched.',
    why: "No architecture in the engine's list has such a layer.",
  },
  {
    number: 26,
    name: 'CodecLM',
    title: 'CodecLM: Aligning Language Models with Tailored Synthetic Data',
    year: 2024,
    kind: 'train',
    sentence:
      'A strong model writes instructions for a target task, from which a smaller model learns.',
    why: 'It makes training data with large models.',
  },
  {
    number: 27,
    name: 'Rex-Omni (next point)',
    title: 'Detect Anything via Next Point Prediction',
    year: 2025,
    kind: 'train',
    sentence: 'A model finds things in an image by writing their corners as tokens.',
    why: 'It reads images.',
  },
  {
    number: 28,
    name: 'RisingBALLER (players as tokens)',
    title:
      'RisingBALLER: A player is a token, a match is a sentence, A path towards a foundational model for football players data analytics',
    year: 2024,
    kind: 'domain',
    sentence:
      'A football player is a token and a match a sentence, from which a model learns about players.',
    why: 'The model looks in both directions. The engine runs models that look back only.',
  },
  {
    number: 29,
    name: 'NLU via RL (PPO)',
    title:
      'Improving the Language Understanding Capabilities of Large Language Models Using Reinforcement Learning',
    year: 2024,
    kind: 'train',
    sentence: 'Small models understand texts better when they are rewarded for right answers.',
    why: 'It is a way to train. Models that were tuned by it run as any others.',
  },
  {
    number: 30,
    name: 'Transformers learn linear models in-context',
    title: 'Trained Transformers Learn Linear Models In-Context',
    year: 2023,
    kind: 'train',
    sentence: 'A transformer that learned from linear problems solves a new one from its examples.',
    why: 'Its models learn from vectors of numbers with attention of another kind, and no GGUF file has one.',
  },
  {
    number: 32,
    name: 'Mazes with multi-step prediction (MLM-U)',
    title: 'Transformers Can Navigate Mazes With Multi-Step Prediction',
    year: 2024,
    kind: 'train',
    sentence:
      'A model finds ways through mazes when it learns to predict many steps, forwards and backwards.',
    why: 'It is a way to train, and no GGUF file with such a model is here.',
  },
  {
    number: 33,
    name: 'Concept-aware fine-tuning (CAFT)',
    title: 'Improving large language models with concept-aware fine-tuning',
    year: 2025,
    kind: 'train',
    sentence:
      'A model that is tuned to predict several tokens at once learns ideas rather than parts of words.',
    why: 'It is a way to train. The extra heads are dropped for inference.',
  },
  {
    number: 35,
    name: 'Learn Your Tokens (word pooling)',
    title: 'Learn Your Tokens: Word-Pooled Tokenization for Language Modeling',
    year: 2023,
    kind: 'arch',
    sentence:
      'Characters are pooled to words, one model predicts words, and another one writes their characters.',
    why: "No architecture in the engine's list has these three networks.",
  },
  {
    number: 43,
    name: 'Landmark Attention',
    title: 'Landmark Attention: Random-Access Infinite Context Length for Transformers',
    year: 2023,
    kind: 'arch',
    sentence:
      'A landmark after each block of tokens lets the model read only the blocks that it needs.',
    why: 'Landmarks help only models that were trained with them, and the engine has no attention of this kind.',
  },
  {
    number: 44,
    name: 'Bridging training-inference gap',
    title: 'Bridging the Training-Inference Gap in LLMs by Leveraging Self-Generated Tokens',
    year: 2024,
    kind: 'train',
    sentence: 'A model also learns from its own tokens, so that its own mistakes confuse it less.',
    why: 'It is a way to train. Models that were trained by it run as any others.',
  },
  {
    number: 47,
    name: 'Large Concept Models',
    title: 'Large Concept Models: Language Modeling in a Sentence Representation Space',
    year: 2024,
    kind: 'arch',
    sentence: 'A model predicts the vector of the next sentence instead of the next token.',
    why: 'Its tokens are vectors. The engine predicts ids.',
  },
  {
    number: 48,
    name: 'Byte2Word',
    title: 'Word-Level Representation From Bytes For Language Modeling',
    year: 2022,
    kind: 'arch',
    sentence: 'The bytes of a word become its vector, so that no table of tokens is needed.',
    why: "No architecture in the engine's list reads words from bytes.",
  },
  {
    number: 49,
    name: 'Hi-MAR',
    title: 'Hierarchical Masked Autoregressive Models with Low-Resolution Token Pivots',
    year: 2025,
    kind: 'train',
    sentence: 'A coarse image is drawn first and guides the fine one.',
    why: 'It makes images.',
  },
  {
    number: 51,
    name: 'Red-teaming chain of utterances',
    title: 'Red-Teaming Large Language Models using Chain of Utterances for Safety-Alignment',
    year: 2023,
    kind: 'train',
    sentence:
      'Chains of questions lead chat models to harmful answers, and tuning against them makes models safer.',
    why: 'It is about attacks and training. The package contains no attacks.',
  },
  {
    number: 52,
    name: 'Dynamic tokenization',
    title: 'Retrofitting (Large) Language Models with Dynamic Tokenization',
    year: 2024,
    kind: 'tokenizer',
    sentence:
      'Neighbours among the tokens of a text that occur often are merged before the model reads them.',
    why: 'Another network makes the vectors of merged tokens, and that network is not here.',
  },
  {
    number: 54,
    name: 'LMTraj',
    title:
      'Can Language Beat Numerical Regression? Language-Based Multimodal Trajectory Prediction',
    year: 2024,
    kind: 'domain',
    sentence: 'The paths of pedestrians are written as numbers in a text and predicted as text.',
    why: 'Its model is an encoder with a decoder. The engine runs decoders alone.',
  },
  {
    number: 56,
    name: 'Structure induction (StructFormer thesis)',
    title: 'Linguistic Structure Induction from Language Models',
    year: 2024,
    kind: 'train',
    sentence: 'Transformers with a parser inside learn the structure of sentences from text alone.',
    why: "No architecture in the engine's list has a parser inside.",
  },
  {
    number: 58,
    name: 'Zero-shot tokenizer transfer',
    title: 'Zero-Shot Tokenizer Transfer',
    year: 2024,
    kind: 'tokenizer',
    sentence:
      'A network makes the embeddings for another tokenizer, so that a model can change its vocabulary.',
    why: 'That network is not here. The file that results from it runs as any other.',
  },
  {
    number: 61,
    name: 'Exact byte-level probabilities',
    title:
      'Exact Byte-Level Probabilities from Tokenized Language Models for FIM-Tasks and Model Ensembles',
    year: 2024,
    kind: 'tokenizer',
    sentence:
      "A prompt may end within a token: the next byte's probability is a sum over all ways to cut the text.",
    why: 'Not carried yet: there are no probabilities of bytes.',
  },
  {
    number: 64,
    name: 'Chimera (draft model)',
    title:
      'Chimera: A Lossless Decoding Method for Accelerating Large Language Models Inference by Fusing all Tokens',
    year: 2024,
    kind: 'arch',
    sentence:
      'A small draft model that reads the vectors of the large model proposes tokens, and the large one checks them.',
    why: 'The draft model needs weights that are trained for each large model, and no GGUF file has them.',
  },
  {
    number: 65,
    name: 'Global context for sequence labeling',
    title: 'A Global Context Mechanism for Sequence Labeling',
    year: 2023,
    kind: 'train',
    sentence: 'A tagger of words gets better when each word also sees a summary of the sentence.',
    why: 'Its model is an encoder. The engine runs decoders.',
  },
];
