"""LeNet-5 by hand in NumPy: first as its definition, then as fast as the processor multiplies.

Reading order:

 1. `layers`           every operation and its derivative, as textbooks define them
 2. `optimizers`       how weights follow their gradients
 3. `plain`            the network out of these: modes "loops" and "im2col"
 4. `fused`            the fast network, mode "fused"; its doc-string leads from the definition to what follows
 5. `memory`           the block of memory that all arrays of the fast network are cut from
 6. `layout`           how images lie in memory, and views of them that are quick to copy
 7. `parameters`       the weights in one flat buffer, and copies of the kernels as the convolutions want them
 8. `activations`      relu, sigmoid and tanh in place, forwards and backwards
 9. `strips`           convolution and pooling of many images
10. `patches`          convolution and pooling of one to four images
11. `dense`            dense layers, forwards and backwards
12. `forward`          the whole network on n images
13. `strips_backward`  the derivatives of convolution and pooling
14. `backward`         the derivatives of the whole network
15. `flat_optimizers`  how all weights follow their gradients in a few passes
16. `workers`          what one thread keeps between calls
17. `team`             the threads of a network and their shares of a batch
18. `threads`          threads that make calls at the same time
19. `blas`             the library under NumPy's matrix products, held to one thread

Beside these: `each_layer`, what an image is after each layer, to look at a network from inside; `gradient_check`, which compares a
derivative with finite differences (`check_pullback`), for the tests and for an operation of your own.
"""

from lenet5.by_hand.gradient_check import check_pullback

__all__ = ["check_pullback"]
