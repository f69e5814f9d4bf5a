// The decoders there are; make_decoder (decoder.h) picks one.
#pragma once

#include <memory>

#include "decode/decoder.h"

namespace caffe2rt {

// Faster, Mask and Keypoint R-CNN. Reads bbox_nms (R,4), or (R,5) rotated, score_nms (R), class_nms (R), and
// where the net has them mask_fcn_probs (R,C,M,M) or (R,1,M,M), kps_score (R,K,H,W), keypoints_out (R,4,K).
// A GPU finds the keypoints of kps_score.
std::unique_ptr<Decoder> make_rcnn_decoder(const NetDef& net);

// Reads box_cls_i (N,A*C,H,W) and box_delta_i (N,A*4,H,W) of every level i, of which a GPU picks what scores
// best. Throws Error for a bad anchor
// generator.
std::unique_ptr<Decoder> make_retinanet_decoder(const NetDef& net);

// Reads what an R-CNN with masks has, and sem_seg (N,C,H,W).
std::unique_ptr<Decoder> make_panoptic_decoder(const NetDef& net);

// Reads sem_seg (N,C,H,W).
std::unique_ptr<Decoder> make_semantic_decoder(const NetDef& net);

// Reads every output rpn_rois* (R,5), or (R,6) rotated, image first, and rpn_roi_probs* (R), logits; keeps
// the best `post_nms_topk` of an image as objects of class 0.
std::unique_ptr<Decoder> make_proposal_decoder(const NetDef& net);

// Any other net: its outputs as they are, and the top classes where it ends in a Softmax of (N,C).
std::unique_ptr<Decoder> make_classifier(const NetDef& net);

}  // namespace caffe2rt
